//! Records make the right attributes.

use proptest::prelude::*;

use super::*;

fn capture(attribute: &str, value: ValueType) -> Capture {
    Capture {
        attribute: attribute.into(),
        value,
        format: Format::Plain,
        zero_means: None,
        zero_means_unless: None,
        absent_means: None,
        absent_means_unless: None,
        omit_zero: false,
    }
}

/// A payload with one word for each capture, all present, and the bytes of the strings.
fn payload(words: &[u64], text: &[u8]) -> Vec<u8> {
    let size = 32 + 8 * words.len() + text.len();
    let mut payload = vec![0; 32];
    payload[..4].copy_from_slice(&(size as u32).to_le_bytes());
    payload[28..32].copy_from_slice(&u32::MAX.to_le_bytes());
    payload.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    payload.extend(text);
    payload
}

fn json(captures: &[Capture], payload: &[u8]) -> String {
    let record = Record::parse(payload).expect("a valid record");
    assert!(Shape::from_captures(captures, false).fits(&record));
    serde_json::to_string(&Attributes::from_ends(
        [Some((captures, record)), None],
        repeats(captures.iter()),
        Attributes::default(),
    ))
    .expect("json")
}

fn string(stored: u64, full: u64) -> u64 {
    stored | full << 32
}

#[test]
fn values_are_shown_in_the_order_of_their_captures() {
    let captures = [
        capture("z", ValueType::Int),
        capture("b", ValueType::Uint),
        capture("c", ValueType::Bool),
        capture("a", ValueType::String),
    ];
    let payload = payload(&[-5i64 as u64, u64::MAX, 1, string(2, 2)], b"hi");
    assert_eq!(json(&captures, &payload), r#"{"z":-5,"b":18446744073709551615,"c":true,"a":"hi"}"#);
}

#[test]
fn absent_captures_are_left_out() {
    let captures = [capture("a", ValueType::String), capture("b", ValueType::String)];
    let mut payload = payload(&[string(9, 9), string(2, 2)], b"hi");
    payload[28..32].copy_from_slice(&0b10u32.to_le_bytes());
    assert_eq!(json(&captures, &payload), r#"{"b":"hi"}"#, "the word of an absent string has no length");
}

#[test]
fn a_truncated_string_is_marked_and_loses_at_most_a_cut_character() {
    let captures = [capture("a", ValueType::String), capture("b", ValueType::String)];
    let text = ["äö".as_bytes(), &[0xff, b'x']].concat();
    let payload = payload(&[string(3, 400), string(2, 2)], &[&text[..3], &text[4..]].concat());
    assert_eq!(json(&captures, &payload), "{\"a\":\"ä\",\"a.truncated\":400,\"b\":\"\u{fffd}x\"}");
}

#[test]
fn bytes_are_shown_in_hex() {
    let mut id = capture("id", ValueType::String);
    id.format = Format::Hex;
    let shown = |full| json(std::slice::from_ref(&id), &payload(&[string(3, full)], &[0xff, 0, 0x1a]));
    assert_eq!(shown(3), r#"{"id":"ff001a"}"#);
    assert_eq!(shown(20), r#"{"id":"ff001a","id.truncated":20}"#);
}

#[test]
fn strings_that_do_not_fit_are_rejected() {
    let captures = [capture("a", ValueType::String), capture("b", ValueType::String)];
    let does_not_fit = |words: &[u64], text: &[u8]| {
        let payload = payload(words, text);
        !Shape::from_captures(&captures, false).fits(&Record::parse(&payload).expect("the size is valid"))
    };
    assert!(does_not_fit(&[string(2, 2), string(1, 1)], b"hi"), "more text than there is");
    assert!(does_not_fit(&[string(2, 1), 0], b"hi"), "more stored than there was");
    assert!(does_not_fit(&[string(u32::MAX.into(), u32::MAX.into()); 2], b"hi"), "a sum that is too large for u32");
    assert!(does_not_fit(&[0], b""), "fewer words than captures");
}

#[test]
fn zero_can_mean_something_else() {
    let mut status = capture("status", ValueType::Int);
    status.zero_means = Some(200);
    status.zero_means_unless = Some("hijacked".into());
    status.omit_zero = true;
    let mut hijacked = capture("hijacked", ValueType::Bool);
    hijacked.omit_zero = true;
    let captures = [status, hijacked];
    assert_eq!(json(&captures, &payload(&[0, 0], b"")), r#"{"status":200}"#);
    assert_eq!(json(&captures, &payload(&[0, 1], b"")), r#"{"hijacked":true}"#);
    assert_eq!(json(&captures, &payload(&[404, 0], b"")), r#"{"status":404}"#);
}

#[test]
fn absence_can_mean_something() {
    let mut code = capture("code", ValueType::Int);
    code.absent_means = Some(0);
    code.absent_means_unless = Some("failed".into());
    let captures = [code, capture("failed", ValueType::Bool)];
    let shown = |words: &[u64; 2], present: u32| {
        let mut payload = payload(words, b"");
        payload[28..32].copy_from_slice(&present.to_le_bytes());
        json(&captures, &payload)
    };
    assert_eq!(shown(&[0, 0], 0b10), r#"{"code":0,"failed":false}"#);
    assert_eq!(shown(&[0, 1], 0b10), r#"{"failed":true}"#, "the code is unknown");
    assert_eq!(shown(&[5, 1], 0b11), r#"{"code":5,"failed":true}"#);
}

#[test]
fn a_value_at_exit_replaces_the_one_at_entry() {
    let captures = [capture("n", ValueType::Int)];
    let (entry, exit) = (payload(&[1], b""), payload(&[2], b""));
    let records = [&entry, &exit].map(|payload| Some((&captures[..], Record::parse(payload).expect("valid"))));
    assert!(repeats(captures.iter().chain(&captures)));
    assert_eq!(Attributes::from_ends(records, true, Attributes::default()).get("n"), Some(&Value::Int(2)));
}

#[test]
fn captures_that_give_an_attribute_twice_are_detected() {
    let mut client = capture("client.address", ValueType::String);
    client.format = Format::HostPort;
    let give_twice = |others: [&str; 2]| {
        let others = others.map(|name| capture(name, ValueType::String));
        repeats([&client].into_iter().chain(&others))
    };
    assert!(!give_twice(["a", "b"]));
    for others in [["a", "a"], ["a", "client.port"], ["a.truncated", "a"], ["b", "client.port.truncated"]] {
        assert!(give_twice(others), "{others:?}");
    }
}

#[test]
fn addresses_are_split() {
    let mut client = capture("client.address", ValueType::String);
    client.format = Format::HostPort;
    let shown = |text: &str| {
        let length = text.len() as u64;
        json(std::slice::from_ref(&client), &payload(&[string(length, length)], text.as_bytes()))
    };
    assert_eq!(shown("10.0.0.1:80"), r#"{"client.address":"10.0.0.1","client.port":80}"#);
    assert_eq!(shown("[::1]:8080"), r#"{"client.address":"::1","client.port":8080}"#);
    assert_eq!(shown("[fe80::1%eth0]:1"), r#"{"client.address":"fe80::1%eth0","client.port":1}"#);
    assert_eq!(shown("[::1]"), r#"{"client.address":"::1"}"#);
    assert_eq!(shown("::1"), r#"{"client.address":"::1"}"#);
    assert_eq!(shown("example.org"), r#"{"client.address":"example.org"}"#);
    assert_eq!(shown("example.org:"), r#"{"client.address":"example.org"}"#);
    assert_eq!(shown(":80"), r#"{"client.port":80}"#);
    assert_eq!(shown("me:secret@example.org:80"), r#"{"client.address":"example.org","client.port":80}"#);
    for odd in ["example.org:http", "example.org:99999", "a:b:80", "a:b:c", ":", ""] {
        assert_eq!(shown(odd), "{}", "{odd}");
    }
}

#[test]
fn addresses_of_unix_sockets_are_paths() {
    let mut client = capture("client.address", ValueType::String);
    client.format = Format::HostPort;
    let shown = |text: &str| {
        let length = text.len() as u64;
        json(std::slice::from_ref(&client), &payload(&[string(length, length)], text.as_bytes()))
    };
    assert_eq!(shown("@"), "{}", "a client's socket usually has no address");
    assert_eq!(shown("/run/a:1/client.sock"), r#"{"client.address":"/run/a:1/client.sock"}"#);
    assert_eq!(shown("@abstract:1"), r#"{"client.address":"@abstract:1"}"#);
}

#[test]
fn a_port_that_is_cut_off_is_not_guessed() {
    let mut server = capture("server.address", ValueType::String);
    server.format = Format::HostPort;
    let shown =
        |text: &str| json(std::slice::from_ref(&server), &payload(&[string(text.len() as u64, 90)], text.as_bytes()));
    let cut = |host: &str| format!(r#"{{"server.address":"{host}","server.address.truncated":90}}"#);
    assert_eq!(shown("example.org:80"), cut("example.org"));
    assert_eq!(shown("example.o"), cut("example.o"));
    assert_eq!(shown("[::1]:80"), cut("::1"));
    assert_eq!(shown("me@example.org:80"), cut("example.org"));
}

#[test]
fn a_size_below_zero_is_unknown() {
    let mut size = capture("size", ValueType::Int);
    size.format = Format::Size;
    assert_eq!(json(std::slice::from_ref(&size), &payload(&[u64::MAX], b"")), "{}");
    assert_eq!(json(std::slice::from_ref(&size), &payload(&[0], b"")), r#"{"size":0}"#);
}

#[test]
fn a_path_is_percent_encoded_as_by_go() {
    assert_eq!(escape_path(b"/a-z_0.~$&+,/:;=@"), "/a-z_0.~$&+,/:;=@");
    assert_eq!(escape_path(b"/a b?c%d!*'()[]#\\"), "/a%20b%3Fc%25d%21%2A%27%28%29%5B%5D%23%5C");
    assert_eq!(escape_path("/é".as_bytes()), "/%C3%A9");
    assert_eq!(escape_path(b"/\xff"), "/%FF");
    assert_eq!((escape_path(b"*"), escape_path(b"/*")), ("*".into(), "/%2A".into()));
}

#[test]
fn unknown_methods_become_other() {
    let mut method = capture("http.request.method", ValueType::String);
    method.format = Format::HttpMethod;
    let shown = |text: &str, full: u64| {
        json(std::slice::from_ref(&method), &payload(&[string(text.len() as u64, full)], text.as_bytes()))
    };
    assert_eq!(shown("GET", 3), r#"{"http.request.method":"GET"}"#);
    assert_eq!(shown("", 0), r#"{"http.request.method":"GET"}"#, "as Go's client treats it");
    assert_eq!(shown("get", 3), r#"{"http.request.method":"_OTHER","http.request.method_original":"get"}"#);
    assert_eq!(
        shown("FROBNICA", 12),
        r#"{"http.request.method":"_OTHER","http.request.method_original":"FROBNICA","http.request.method_original.truncated":12}"#
    );
}

#[test]
fn a_route_is_the_path_of_a_pattern() {
    let mut route = capture("http.route", ValueType::String);
    route.format = Format::HttpRoute;
    let shown = |text: &str| {
        let length = text.len() as u64;
        json(std::slice::from_ref(&route), &payload(&[string(length, length)], text.as_bytes()))
    };
    assert_eq!(shown("/items/{id}"), r#"{"http.route":"/items/{id}"}"#);
    assert_eq!(shown("GET /items/{id}"), r#"{"http.route":"/items/{id}"}"#);
    assert_eq!(shown("GET \t example.com/{path...}"), r#"{"http.route":"/{path...}"}"#);
    assert_eq!(shown("example.com/"), r#"{"http.route":"/"}"#);
    assert_eq!(shown(""), "{}", "no mux has seen it");
    assert_eq!(shown("other"), "{}", "not a pattern of a mux");
}

#[test]
fn formats() {
    let text = |text: &'static str| Value::Text(text.into());
    assert_eq!(formatted(Format::HttpVersion, text("HTTP/1.1")), text("1.1"));
    assert_eq!(formatted(Format::HttpVersion, text("HTTP/2.0")), text("2"));
    assert_eq!(formatted(Format::HttpVersion, text("odd")), text("odd"));
    assert_eq!(formatted(Format::UrlScheme, Value::Bool(true)), text("https"));
    assert_eq!(formatted(Format::TlsVersion, Value::Uint(0x0304)), text("1.3"));
    assert_eq!(formatted(Format::TlsVersion, Value::Uint(0)), text("0x0000"));
    assert_eq!(formatted(Format::TlsCipher, Value::Uint(0x1301)), text("TLS_AES_128_GCM_SHA256"));
    assert_eq!(formatted(Format::TlsCipher, Value::Int(-1)), Value::Int(-1));
}

proptest! {
    /// Any record that matches its shape can be shown.
    #[test]
    fn any_bytes_can_be_read(mut payload in prop::collection::vec(any::<u8>(), 32..200), whole in any::<bool>()) {
        if whole {
            let size = payload.len() as u32;
            payload[..4].copy_from_slice(&size.to_le_bytes());
        }
        let mut captures = vec![capture("a", ValueType::String), capture("b.address", ValueType::String)];
        captures[1].format = Format::HostPort;
        captures.push(capture("c", ValueType::Bool));
        if let Some(record) = Record::parse(&payload)
            && Shape::from_captures(&captures, false).fits(&record)
        {
            serde_json::to_string(&Attributes::from_ends([Some((&captures, record)), None], repeats(captures.iter()), Attributes::default())).expect("json");
        }
    }
}

#[test]
fn shown_attributes_have_no_secrets() {
    let shown = |pairs: &[(&'static str, &'static str)]| {
        let pairs = pairs.iter().map(|(name, value)| (*name, Value::Text((*value).into())));
        serde_json::to_string(&Attributes::from_pairs(pairs)).expect("json")
    };
    assert_eq!(shown(&[("url.query", "a=1&sig=secret")]), r#"{"url.query":"a=1&sig=REDACTED"}"#);
    assert_eq!(shown(&[("url.opaque", "//me:secret@host/a")]), r#"{"url.opaque":"//host/a"}"#);
    assert_eq!(shown(&[("url.opaque", "//me:secr"), ("url.opaque.truncated", "9")]), r#"{"url.opaque.truncated":"9"}"#);
    assert_eq!(shown(&[("other", "sig=1")]), r#"{"other":"sig=1"}"#);
}
