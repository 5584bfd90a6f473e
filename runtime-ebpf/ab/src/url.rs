//! Addresses in URLs.

use anyhow::{Context, Result};
use hyper::Uri;

/// The `host:port` of a URL. A `{port}` placeholder is kept.
pub(crate) fn address(url: &str) -> Result<String> {
    // A URI parser rejects the placeholder.
    let uri: Uri = url.replace("{port}", "1").parse().with_context(|| format!("invalid URL {url:?}"))?;
    let authority = uri.authority().with_context(|| format!("URL {url:?} has no host"))?;
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    if url.contains(":{port}") {
        return Ok(format!("{}:{{port}}", authority.host()));
    }
    Ok(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(default)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port() {
        assert_eq!(address("http://127.0.0.1:8080/x?y").unwrap(), "127.0.0.1:8080");
        assert_eq!(address("http://127.0.0.1:{port}/x").unwrap(), "127.0.0.1:{port}");
        assert_eq!(address("https://localhost/").unwrap(), "localhost:443");
        assert!(address("/path").is_err());
    }
}
