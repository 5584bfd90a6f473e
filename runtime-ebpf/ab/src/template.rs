//! Commands with the placeholders `{url}`, `{duration}`, `{port}`, `{port2}` and `{pid}`. No shell
//! reads them.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// A command's words, which may contain placeholders.
#[derive(Debug, Clone)]
pub(crate) struct Template(Vec<String>);

/// The values of the placeholders in one run.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    ports: [u16; 2],
    url: Option<String>,
    duration: Option<Duration>,
    pid: Option<u32>,
}

impl Template {
    /// A template of words that are already split.
    pub(crate) fn from_words(words: Vec<String>) -> Self {
        Self(words)
    }

    /// Splits a command into words as a shell does.
    pub(crate) fn parse(flag: &str, command: &str) -> Result<Self> {
        let words = shlex::split(command).with_context(|| format!("{flag}: unclosed quote in {command:?}"))?;
        ensure!(!words.is_empty(), "{flag}: empty command");
        Ok(Self(words))
    }

    /// The words with their placeholders replaced.
    pub(crate) fn fill(&self, values: &Values) -> Vec<String> {
        self.0.iter().map(|word| values.fill(word)).collect()
    }
}

impl Values {
    /// Values for a new run: two ports that are free now, and the URL.
    pub(crate) fn new(url: Option<&str>) -> Result<Self> {
        let free = || TcpListener::bind("127.0.0.1:0").context("no free port on the loopback interface");
        // Both stay bound until both are known, so that they differ.
        let listeners = [free()?, free()?];
        let ports = [listeners[0].local_addr()?.port(), listeners[1].local_addr()?.port()];
        let mut values = Self { ports, url: None, duration: None, pid: None };
        values.url = url.map(|url| values.fill(url));
        Ok(values)
    }

    /// The same values with a duration.
    pub(crate) fn with_duration(&self, duration: Duration) -> Self {
        Self { duration: Some(duration), ..self.clone() }
    }

    /// The same values with the program's process id.
    pub(crate) fn with_pid(&self, pid: u32) -> Self {
        Self { pid: Some(pid), ..self.clone() }
    }

    /// The URL to request.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Replaces the placeholders in a text.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut text =
            text.replace("{port}", &self.ports[0].to_string()).replace("{port2}", &self.ports[1].to_string());
        if let Some(url) = &self.url {
            text = text.replace("{url}", url);
        }
        if let Some(duration) = self.duration {
            text = text.replace("{duration}", &format_duration(duration));
        }
        if let Some(pid) = self.pid {
            text = text.replace("{pid}", &pid.to_string());
        }
        text
    }
}

/// Joins words, quoted for a shell.
pub(crate) fn quote_words(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// Formats a duration so that `wrk`, `hey`, `ghz` and Go can parse it.
pub(crate) fn format_duration(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_within_words() {
        let values = Values::new(Some("http://127.0.0.1:{port}/a b")).unwrap().with_duration(Duration::from_secs(5));
        let load = Template::parse("--load", "wrk -d{duration} '{url}' --header 'a: {b}'").unwrap();
        let url = format!("http://127.0.0.1:{}/a b", values.ports[0]);
        assert_eq!(load.fill(&values), ["wrk", "-d5s", &url, "--header", "a: {b}"]);
        assert_eq!(values.with_duration(Duration::from_millis(1500)).fill("{duration}"), "1500ms");
        assert!(Template::parse("--load", "wrk 'x").is_err());
        assert!(Template::parse("--load", " ").is_err());
    }
}
