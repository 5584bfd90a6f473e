//! Addresses in URLs, which may have a placeholder for their port.

use anyhow::{Context, Result};
use hyper::Uri;

/// `host:port` of a URL.
pub(crate) fn address_of(url: &str) -> Result<String> {
    // A placeholder is no port, but the address keeps it.
    let uri: Uri = url.replace("{port}", "1").parse().with_context(|| format!("{url:?} is not a URL"))?;
    let authority = uri.authority().with_context(|| format!("{url:?} has no host"))?;
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
    fn addresses_of_urls() {
        assert_eq!(address_of("http://127.0.0.1:8080/x?y").unwrap(), "127.0.0.1:8080");
        assert_eq!(address_of("http://127.0.0.1:{port}/x").unwrap(), "127.0.0.1:{port}");
        assert_eq!(address_of("https://localhost/").unwrap(), "localhost:443");
        assert!(address_of("/path").is_err());
    }
}
