//! Caddy: files, answers, a reverse proxy to itself, TLS with its own certificate, HTTP/1 and
//! HTTP/2.
//!
//! The default rules see each request as the server's operation, and a request that the proxy
//! forwards also as the proxy's request and the second server's operation. Without HTTP/3, whose
//! server is not net/http's; the trust store and the network beyond loopback are not touched.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::real::{self, Hooked, Tally, attribute_text, tally};
use gopatch_tests::server::{self, KNOCK};
use gopatch_tests::{Gopatchd, Load, NEWEST_GO, Operation, SOON, Scratch, Seen, alone, backends, wait_until};
use xtask::corpus;

/// What Caddy serves. Each handler behaves like the corpus server's of that name; two are behind a
/// proxy.
const CADDYFILE: &str = r#"{
	admin off
	auto_https disable_redirects
	skip_install_trust
	persist_config off
	storage file_system {$FOLDER}/storage
	servers {
		protocols h1 h2
	}
}

(site) {
	root * {$FOLDER}
	handle /fast/* {
		rewrite * /page
		file_server
	}
	handle /missing/* {
		file_server
	}
	handle /status/* {
		@status path_regexp status ^/status/([0-9]+)/
		respond @status "" {re.status.1}
	}
	handle /slow/* {
		reverse_proxy {$INNER} {
			header_up Host {upstream_hostport}
		}
	}
	handle /echo/* {
		reverse_proxy {$INNER} {
			header_up Host {upstream_hostport}
		}
	}
}

http://{$PLAIN} {
	bind 127.0.0.1
	import site
}

https://localhost:{$SECURE_PORT}, https://{$SECURE} {
	bind 127.0.0.1
	tls internal
	import site
}

http://{$INNER} {
	bind 127.0.0.1
	respond /slow/* "at last"
	respond /echo/* "{http.request.body}" 201
}
"#;

/// Handlers: files, answers of all statuses, and those behind the proxy.
const MIX: &str = "fast,missing,status,slow,echo";

const PROXIED: [&str; 2] = ["slow", "echo"];

#[test]
#[ignore = "soak: Caddy takes minutes to build"]
fn default_rules() -> Result<()> {
    requests_are_seen(Hooked::Default, 1_000)
}

#[test]
#[ignore = "soak: patches Caddy with all its functions hooked"]
fn every_function_hooked() -> Result<()> {
    requests_are_seen(Hooked::Everything, 50)
}

fn requests_are_seen(hooked: Hooked, count: usize) -> Result<()> {
    // A program whose functions are all hooked writes gigabytes; what runs beside it holds gopatchd
    // up.
    let _turn = alone();
    let scratch = Scratch::new()?;
    let program = hooked.patch(&scratch, &corpus::build("caddy", NEWEST_GO, "default")?)?;
    serve_requests(&scratch, &program, count, None).context("no gopatchd")?;
    for backend in backends() {
        let gopatchd = hooked.start_gopatchd(&scratch, backend)?;
        let expected = serve_requests(&scratch, &program, count, Some(&gopatchd)).context(*backend)?;
        real::compare(&gopatchd.stop()?, &expected, line).context(*backend)?;
    }
    Ok(())
}

/// An operation as a line to compare; knocks of either kind do not count.
fn line(operation: &Operation) -> Option<String> {
    let attributes: &[&str] = match &*operation.rule {
        "http.server" | "http.client" => &[
            "http.request.method",
            "url.path",
            "http.response.status_code",
            "url.scheme",
            "network.protocol.version",
            "server.port",
        ],
        // A knock may come before Caddy has made its certificate.
        "tls.handshake" if operation.attributes["tls.established"] == false => return None,
        "tls.handshake" => &["tls.protocol.version", "tls.client.server_name", "tls.next_protocol"],
        _ => &[],
    };
    let mut line = operation.rule.clone();
    for attribute in attributes {
        line = format!("{line} {}", attribute_text(operation, attribute));
    }
    Some(line).filter(|line| !line.contains(KNOCK))
}

/// Serves requests over each protocol, and returns the expected operations.
fn serve_requests(scratch: &Scratch, program: &Path, count: usize, gopatchd: Option<&Gopatchd>) -> Result<Tally> {
    let [plain, secure, inner] = real::free_addresses()?;
    fs::write(scratch.file("Caddyfile"), CADDYFILE)?;
    fs::write(scratch.file("page"), "the page\n".repeat(100))?;
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(scratch.file("Caddyfile"));
    command.envs([("PLAIN", &plain), ("SECURE", &secure), ("INNER", &inner)]).env("SECURE_PORT", port(&secure));
    for name in ["FOLDER", "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env(name, scratch.path());
    }
    let mut caddy = real::start(scratch, &mut command, "caddy")?;
    for address in [&plain, &secure, &inner] {
        real::wait_for_listener(&mut caddy, address)?;
    }
    if let Some(gopatchd) = gopatchd {
        server::knock(&plain, || gopatchd.has_operation_of(caddy.pid()))?;
    }
    let https = format!("https://{secure}");
    wait_until("Caddy to have a certificate", SOON, || {
        let load = Load { tls: true, proto: "h1", mix: "fast", count: 1, in_flight: 1, tag: "knock" };
        Ok(load.send_to(scratch, &https).ok())
    })?;
    let handshake = |next: &str| format!("tls.handshake 1.3 localhost {next}");
    let mut expected = vec![handshake("-")];

    let http = format!("http://{plain}");
    // Over TLS one request at a time, so that there is one connection.
    for (url, proto, in_flight, tag) in [(&http, "h1", 16, "p"), (&https, "h1", 1, "s"), (&https, "h2", 1, "t")] {
        let load = Load { tls: url == &https, proto, mix: MIX, count, in_flight, tag };
        let version = if proto == "h2" { "2" } else { "1.1" };
        for seen in load.send_to(scratch, url).with_context(|| caddy.describe("got the load"))? {
            let (scheme, address) = if load.tls { ("https", &secure) } else { ("http", &plain) };
            expected.push(line_of_request(&seen, scheme, version, address));
            if PROXIED.contains(&seen.handler()) {
                let proxied = line_of_request(&seen, "http", "1.1", &inner);
                expected.push(proxied.replace("http.server", "http.client"));
                expected.push(proxied);
            }
        }
        if load.tls {
            expected.push(handshake(if proto == "h2" { "h2" } else { "-" }));
        }
    }
    ensure!(expected.len() > 3 * count, "too few requests: {}", expected.len());
    caddy.terminate()?;
    Ok(tally(expected))
}

/// The operation of a server for a request.
fn line_of_request(seen: &Seen, scheme: &str, version: &str, address: &str) -> String {
    format!("http.server {} {} {} {scheme} {version} {}", seen.method, seen.path, seen.status, port(address))
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(_, port)| port)
}
