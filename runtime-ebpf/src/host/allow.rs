//! Which processes may have a session: all that can reach the socket, or those of named users,
//! groups and cgroups.
//!
//! Decides: whether an entry of `collect.allow` applies to a process.
//! Trusts: the kernel, which recorded the peer at connect(2), and /proc for sessions that are found
//! and for cgroups.
//! Never does: trust a pid alone to name a user. Only the cgroup is looked up by pid.

use std::str::FromStr;
use std::{fmt, fs};

/// The entries of the setting. `None`: every process may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allow(Option<Vec<Entry>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Uid(u32),
    Gid(u32),
    /// A cgroup with all below it, as /proc/PID/cgroup writes it.
    Cgroup(String),
}

/// Whose process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Allow {
    /// Those named by the texts `uid:N`, `gid:N` and `cgroup:/PATH`.
    pub(crate) fn parse(entries: &[String]) -> Result<Self, String> {
        entries.iter().map(|entry| entry.parse()).collect::<Result<_, _>>().map(|entries| Self(Some(entries)))
    }

    /// Whether the process may have a session.
    pub(crate) fn permits(&self, process: Credentials) -> bool {
        self.0.as_ref().is_none_or(|entries| entries.iter().any(|entry| entry.applies_to(process)))
    }

    /// The same for a session that was found, whose process did not connect.
    pub(crate) fn permits_pid(&self, pid: u32) -> bool {
        self.0.is_none() || Credentials::look_up(pid).is_some_and(|process| self.permits(process))
    }
}

impl Entry {
    fn applies_to(&self, process: Credentials) -> bool {
        match self {
            Self::Uid(uid) => *uid == process.uid,
            Self::Gid(gid) => *gid == process.gid,
            Self::Cgroup(path) => {
                let cgroups = fs::read_to_string(format!("/proc/{}/cgroup", process.pid)).unwrap_or_default();
                is_below(&cgroups, path)
            }
        }
    }
}

/// Whether one of the lines of /proc/PID/cgroup names `path` or a cgroup below it.
fn is_below(cgroups: &str, path: &str) -> bool {
    let named = cgroups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let path = path.trim_end_matches('/');
    named.filter_map(|cgroup| cgroup.strip_prefix(path)).any(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |id: &str| id.parse().map_err(|error| format!("`{text}`: {error}"));
        match text.split_once(':') {
            Some(("uid", id)) => number(id).map(Self::Uid),
            Some(("gid", id)) => number(id).map(Self::Gid),
            Some(("cgroup", path)) if path.starts_with('/') => Ok(Self::Cgroup(path.to_owned())),
            _ => Err(format!("`{text}` is none of uid:N, gid:N, cgroup:/PATH")),
        }
    }
}

impl Credentials {
    /// Those of a process that runs: its effective user and group.
    fn look_up(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let effective = |name: &str| {
            let ids = status.lines().find_map(|line| line.strip_prefix(name))?;
            ids.split_whitespace().nth(1)?.parse().ok()
        };
        Some(Self { pid, uid: effective("Uid:")?, gid: effective("Gid:")? })
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "uid {}, gid {}", self.uid, self.gid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(entries: &[&str]) -> Allow {
        Allow::parse(&entries.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("they are valid")
    }

    #[test]
    fn every_process_may_connect_until_some_are_named() {
        let shop = Credentials { pid: 0, uid: 1000, gid: 100 };
        assert!(Allow::default().permits(shop));
        assert!(allow(&["uid:7", "uid:1000"]).permits(shop) && allow(&["gid:100"]).permits(shop));
        assert!(!allow(&["uid:100", "gid:1000"]).permits(shop) && !allow(&[]).permits(shop));
        assert!(!allow(&["cgroup:/"]).permits(shop), "a process that is not visible has no cgroup");
    }

    #[test]
    fn a_cgroup_permits_what_is_below_it() {
        let cgroups = "1:name=systemd:/\n0::/kubepods/pod1/abc\n";
        assert!(is_below(cgroups, "/kubepods") && is_below(cgroups, "/kubepods/pod1/abc/"));
        assert!(!is_below(cgroups, "/kubepods/pod") && !is_below(cgroups, "/kubepods/pod1/abc/d"));
        assert!(is_below("0::/a:b/c", "/a:b"), "a name may hold a colon");
    }

    #[test]
    fn an_invalid_entry_is_named() {
        for text in ["1000", "uid:-1", "uid:root", "cgroup:kubepods", "pid:1", ""] {
            let error = Allow::parse(&[text.to_owned()]).expect_err(text);
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn the_credentials_of_this_process_are_found() {
        let found = Credentials::look_up(std::process::id()).expect("it runs");
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        assert_eq!((found.uid, found.gid), (uid, gid));
    }
}
