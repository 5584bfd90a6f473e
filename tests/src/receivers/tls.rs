//! Certificates for servers on loopback.
//!
//! Decides: that each test makes its own, for a day.
//! Trusts: openssl.
//! Never does: pass over it in CI where openssl is not installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Scratch;

/// A certificate for 127.0.0.1, which vouches for itself, and its key.
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
            Err(error).context("openssl must be there in CI: apt-get install openssl")
        }
        Err(error) => {
            eprintln!("NOT TESTED: OTLP over TLS: openssl: {error}");
            Ok(None)
        }
    }
}
