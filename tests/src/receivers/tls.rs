//! Certificates for servers on loopback, which each test makes with openssl for a day.
//!
//! In CI openssl must be installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Scratch;

/// A self-signed certificate for 127.0.0.1 and its key. `None` without openssl.
pub fn self_signed(scratch: &Scratch) -> Result<Option<(PathBuf, PathBuf)>> {
    let (certificate, key) = (scratch.file("certificate.pem"), scratch.file("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-out"]).arg(&certificate);
    match openssl.arg("-keyout").arg(&key).output() {
        Ok(output) => {
            ensure!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
            Ok(Some((certificate, key)))
        }
        Err(error) if std::env::var_os("CI").is_some() => {
            Err(error).context("CI needs openssl: apt-get install openssl")
        }
        Err(error) => {
            eprintln!("NOT TESTED: OTLP over TLS: openssl: {error}");
            Ok(None)
        }
    }
}
