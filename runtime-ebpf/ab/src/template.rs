//! Commands with placeholders.
//!
//! Decides: what is replaced: `{url}`, `{duration}`, `{port}`, `{port2}`, `{pid}`.
//! Trusts: nothing.
//! Never does: give a command to a shell. Who wants one writes `sh -c '...'`.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// Words, each of which may have placeholders.
#[derive(Debug, Clone)]
pub(crate) struct Template(Vec<String>);

/// What one run puts in the place of the placeholders.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    ports: [u16; 2],
    url: Option<String>,
    duration: Option<Duration>,
    pid: Option<u32>,
}

impl Template {
    /// Words as they are.
    pub(crate) fn of_words(words: Vec<String>) -> Self {
        Self(words)
    }

    /// A command's words, told apart as a shell does.
    pub(crate) fn of_command(flag: &str, command: &str) -> Result<Self> {
        let words = shlex::split(command).with_context(|| format!("{flag}: a quote in {command:?} is not closed"))?;
        ensure!(!words.is_empty(), "{flag}: no command");
        Ok(Self(words))
    }

    /// The words of one run.
    pub(crate) fn filled(&self, values: &Values) -> Vec<String> {
        self.0.iter().map(|word| values.fill(word)).collect()
    }
}

impl Values {
    /// For a new run: ports that are free now, and the URL.
    pub(crate) fn new(url: Option<&str>) -> Result<Self> {
        let free = || TcpListener::bind("127.0.0.1:0").context("loopback has no free port");
        // Both are held until both are known.
        let held = [free()?, free()?];
        let ports = [held[0].local_addr()?.port(), held[1].local_addr()?.port()];
        let mut values = Self { ports, url: None, duration: None, pid: None };
        values.url = url.map(|url| values.fill(url));
        Ok(values)
    }

    /// The same, with a duration.
    pub(crate) fn lasting(&self, duration: Duration) -> Self {
        Self { duration: Some(duration), ..self.clone() }
    }

    /// The same, with the program's process id.
    pub(crate) fn of_process(&self, pid: u32) -> Self {
        Self { pid: Some(pid), ..self.clone() }
    }

    /// What is asked under load.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// A text with its placeholders replaced.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut text =
            text.replace("{port}", &self.ports[0].to_string()).replace("{port2}", &self.ports[1].to_string());
        if let Some(url) = &self.url {
            text = text.replace("{url}", url);
        }
        if let Some(duration) = self.duration {
            text = text.replace("{duration}", &time(duration));
        }
        if let Some(pid) = self.pid {
            text = text.replace("{pid}", &pid.to_string());
        }
        text
    }
}

/// Words as a person would type them.
pub(crate) fn shown(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// A time as `wrk`, `hey`, `ghz` and Go read it.
pub(crate) fn time(duration: Duration) -> String {
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
    fn placeholders_are_replaced_and_words_stay_apart() {
        let values = Values::new(Some("http://127.0.0.1:{port}/a b")).unwrap().lasting(Duration::from_secs(5));
        let load = Template::of_command("--load", "wrk -d{duration} '{url}' --header 'a: {b}'").unwrap();
        let url = format!("http://127.0.0.1:{}/a b", values.ports[0]);
        assert_eq!(load.filled(&values), ["wrk", "-d5s", &url, "--header", "a: {b}"]);
        assert_eq!(values.lasting(Duration::from_millis(1500)).fill("{duration}"), "1500ms");
        assert!(Template::of_command("--load", "wrk 'x").is_err());
        assert!(Template::of_command("--load", " ").is_err());
    }
}
