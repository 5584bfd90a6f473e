//! The resource that the spans and metrics of a process belong to.
//!
//! Decides: the attributes, and which source of one wins: gopatchd's settings override what is
//! detected, and the environment of the process overrides both.
//! Trusts: nothing. Everything but the files of the kernel comes from the process, which can lie
//! only about itself.
//! Never does: read without a bound. It runs in a thread of its own, since /proc can be made to
//! wait.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use gopatch_protocol::manifest::{Input, to_hex};
use sha2::{Digest, Sha256};

use crate::calls::attributes::Value;

/// Most bytes that are read from a file in /proc.
const MAX_PROC_BYTES: u64 = 1 << 20;

/// The settings of gopatchd for resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Naming {
    /// The name of services that do not set their own.
    pub(crate) service_name: Option<String>,
    /// Attributes of all resources.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Whether `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and the name of the pod are read
    /// from the environment of a process.
    pub(crate) process_environment: bool,
}

impl Default for Naming {
    fn default() -> Self {
        Self { service_name: None, attributes: BTreeMap::new(), process_environment: true }
    }
}

/// A resource: attributes by their name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Resource {
    attributes: BTreeMap<Cow<'static, str>, Value<'static>>,
}

/// Attributes from the environment of a pod, by the usual names for the downward API and those of
/// the OpenTelemetry Operator.
const POD: [(&str, &str); 12] = [
    ("K8S_POD_NAME", "k8s.pod.name"),
    ("POD_NAME", "k8s.pod.name"),
    ("OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "k8s.pod.name"),
    ("K8S_POD_UID", "k8s.pod.uid"),
    ("POD_UID", "k8s.pod.uid"),
    ("K8S_NAMESPACE_NAME", "k8s.namespace.name"),
    ("K8S_NAMESPACE", "k8s.namespace.name"),
    ("POD_NAMESPACE", "k8s.namespace.name"),
    ("K8S_NODE_NAME", "k8s.node.name"),
    ("NODE_NAME", "k8s.node.name"),
    ("OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "k8s.node.name"),
    ("K8S_DEPLOYMENT_NAME", "k8s.deployment.name"),
];

impl Resource {
    /// Finds the attributes of a process. `pid` is 0 if the process is not visible from here.
    pub(crate) fn detect(pid: u32, input: &Input, naming: &Naming) -> Self {
        let mut resource = Self::default();
        let folder = (pid != 0).then(|| format!("/proc/{pid}"));
        let folder = folder.as_deref().map(Path::new);
        let executable = folder.and_then(|folder| std::fs::read_link(folder.join("exe")).ok());
        let executable = executable.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        // The kernel marks a file that is no longer there.
        let executable = executable.map(|name| name.trim_end_matches(" (deleted)").to_owned());

        resource.set_text("telemetry.sdk.name", "gopatch");
        resource.set_text("telemetry.sdk.language", "go");
        resource.set_text("telemetry.sdk.version", env!("CARGO_PKG_VERSION"));
        resource.set_text("process.runtime.name", "go");
        resource.set_text("process.runtime.version", &input.go_version);
        let host = rustix::system::uname();
        resource.set_text("host.name", &host.nodename().to_string_lossy());
        resource.set_text("os.type", "linux");
        let name = input.main_package.as_deref().and_then(package_name).or(executable.as_deref());
        // The name that the conventions demand if there is none.
        resource.set_text("service.name", name.unwrap_or("unknown_service:go"));
        if let Some(version) = input.main_version.as_deref().filter(|version| !matches!(*version, "" | "(devel)")) {
            resource.set_text("service.version", version);
        }
        if let Some(revision) = &input.vcs_revision {
            resource.set_text("vcs.ref.head.revision", revision);
        }
        if let Some(executable) = &executable {
            resource.set_text("process.executable.name", executable);
        }
        if let Some(folder) = folder {
            resource.set("process.pid", Value::Int(pid.into()));
            resource.set_text("service.instance.id", &instance_id(pid, folder));
            for (name, value) in container(&read(&folder.join("cgroup"))) {
                resource.set_text(name, &value);
            }
        }

        resource.set_all(&naming.attributes);
        if let Some(name) = &naming.service_name {
            resource.set_text("service.name", name);
        }
        if let Some(folder) = folder.filter(|_| naming.process_environment) {
            resource.set_environment(&read(&folder.join("environ")));
        }
        resource
    }

    /// Names and values, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'static>)> {
        self.attributes.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The text of an attribute; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        match self.attributes.get(name) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// Sets an attribute to a text, unless it is empty.
    pub(crate) fn set_text(&mut self, name: &'static str, value: &str) {
        if !value.is_empty() {
            self.set(name, Value::Text(value.to_owned().into()));
        }
    }

    fn set(&mut self, name: &'static str, value: Value<'static>) {
        self.attributes.insert(name.into(), value);
    }

    fn set_all(&mut self, attributes: &BTreeMap<String, String>) {
        for (name, value) in attributes {
            self.attributes.insert(name.clone().into(), Value::Text(value.clone().into()));
        }
    }

    /// Sets attributes from the environment of the process.
    fn set_environment(&mut self, environment: &str) {
        let variables: Vec<_> = environment.split('\0').filter_map(|variable| variable.split_once('=')).collect();
        let get = |wanted: &str| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        for (variable, attribute) in POD {
            if let Some(value) = get(variable) {
                self.set_text(attribute, value);
            }
        }
        // Kubernetes names the host of a container after its pod.
        if self.text("k8s.pod.name").is_empty() && get("KUBERNETES_SERVICE_HOST").is_some() {
            self.set_text("k8s.pod.name", get("HOSTNAME").unwrap_or_default());
        }
        // An invalid variable is ignored; the others still count.
        let own = get("OTEL_RESOURCE_ATTRIBUTES").map(parse_attributes);
        self.set_all(&own.and_then(Result::ok).unwrap_or_default());
        self.set_text("service.name", get("OTEL_SERVICE_NAME").unwrap_or_default());
    }
}

/// Parses `key=value,key=value` with percent-encoded values: the form of
/// `OTEL_RESOURCE_ATTRIBUTES`, and of headers.
pub(crate) fn parse_attributes(text: &str) -> Result<BTreeMap<String, String>, String> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not `name=value`"))?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8();
        let value = value.map_err(|_| format!("the value of `{}` is not UTF-8", name.trim()))?;
        if name.trim().is_empty() {
            return Err(format!("`{pair}` has no name"));
        }
        Ok((name.trim().to_owned(), value.into_owned()))
    });
    pairs.collect()
}

/// The text of a file, as far as it can be read.
fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    // The process may be gone, or not readable for gopatchd.
    let _ = File::open(path).and_then(|file| file.take(MAX_PROC_BYTES).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last element of a package path that is a name: `v2` is a version, and some packages have no
/// name.
fn package_name(path: &str) -> Option<&str> {
    let is_version = |name: &str| {
        name.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let name = path.rsplit('/').find(|name| !is_version(name))?;
    (!matches!(name, "" | "command-line-arguments" | "main")).then_some(name)
}

/// Field 22 of /proc/PID/stat: when the process started, in clock ticks after boot. The name before
/// it may hold anything.
fn start_time(folder: &Path) -> String {
    let stat = read(&folder.join("stat"));
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    fields.split_whitespace().nth(19).unwrap_or_default().to_owned()
}

/// A UUID that is stable and unique to one execution of a program: from this boot, the pid, the
/// start time, and what the kernel gave the program at exec(2), in which addresses are chosen by
/// chance.
fn instance_id(pid: u32, folder: &Path) -> String {
    let boot = read(Path::new("/proc/sys/kernel/random/boot_id"));
    let mut digest = Sha256::new_with_prefix(format!("gopatch {} {pid} {}", boot.trim(), start_time(folder)));
    digest.update(std::fs::read(folder.join("auxv")).unwrap_or_default());
    let mut digest = digest.finalize();
    // Version 8 (RFC 9562): a custom id.
    digest[6] = 0x80 | digest[6] & 0x0f;
    digest[8] = 0x80 | digest[8] & 0x3f;
    let hex = to_hex(&digest[..16]);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The container and the pod, from the path of a control group.
///
/// Docker: `/docker/<id>`, `/system.slice/docker-<id>.scope`; Kubernetes:
/// `/kubepods/burstable/pod<uid>/<id>`, or with `_` in the uid
/// `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice/cri-containerd-<id>.scope`.
fn container(cgroup: &str) -> Vec<(&'static str, String)> {
    let paths = cgroup.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    let elements = || paths.clone().flat_map(|path| path.split('/'));
    let id = elements().rev().find_map(|element| {
        let name = element.strip_suffix(".scope").unwrap_or(element);
        let id = name.rsplit(['-', ':']).next()?;
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
    });
    let pod = elements().find_map(|element| {
        let name = element.strip_suffix(".slice").unwrap_or(element);
        let start = name.rfind("pod").filter(|start| *start == 0 || name[..*start].ends_with('-'))?;
        let uid = name[start + 3..].replace('_', "-");
        let is_uid = uid.len() >= 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        is_uid.then_some(uid)
    });
    [("container.id", id), ("k8s.pod.uid", pod)].into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_names() {
        for (path, name) in [
            ("example.com/shop/cmd/cart", Some("cart")),
            ("github.com/caddyserver/caddy/v2", Some("caddy")),
            ("command-line-arguments", None),
            ("v2", None),
        ] {
            assert_eq!(package_name(path), name, "{path}");
        }
    }

    #[test]
    fn attributes_are_decoded() {
        let read = parse_attributes("a=1, b.c = x%20y ,,d=").expect("valid");
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("a", "1"), ("b.c", "x y"), ("d", "")]);
        assert_eq!(parse_attributes("a=1,b").unwrap_err(), "`b` is not `name=value`");
        assert_eq!(parse_attributes("=b").unwrap_err(), "`=b` has no name");
        assert!(parse_attributes("a=%ff").is_err());
    }

    #[test]
    fn control_groups_give_container_and_pod() {
        let id = "0123456789abcdef".repeat(4);
        let uid = "a1b2c3d4-0000-1111-2222-333344445555";
        let parse = |path: &str| container(&format!("0::{path}\n"));
        let both = vec![("container.id", id.clone()), ("k8s.pod.uid", uid.to_owned())];
        let only_container = vec![("container.id", id.clone())];
        assert_eq!(parse(&format!("/kubepods/burstable/pod{uid}/{id}")), both);
        let slice = format!("kubepods-burstable-pod{}.slice", uid.replace('-', "_"));
        assert_eq!(parse(&format!("/kubepods.slice/kubepods-burstable.slice/{slice}/cri-containerd-{id}.scope")), both);
        assert_eq!(parse(&format!("/docker/{id}")), only_container);
        assert_eq!(parse(&format!("/system.slice/docker-{id}.scope")), only_container);
        assert_eq!(parse("/user.slice/user-1000.slice/session-3.scope"), []);
    }

    #[test]
    fn the_attributes_of_this_process_are_found() {
        let input = Input {
            sha256: String::new(),
            size: 0,
            go_version: "go1.27.4".into(),
            main_package: Some("example.com/cart".into()),
            main_version: Some("v1.2.3".into()),
            vcs_revision: Some("0123abc".into()),
            vcs_modified: false,
        };
        let mut naming = Naming::default();
        naming.attributes.insert("deployment.environment.name".into(), "test".into());
        let resource = Resource::detect(std::process::id(), &input, &naming);
        for (name, value) in [
            ("service.name", "cart"),
            ("service.version", "v1.2.3"),
            ("vcs.ref.head.revision", "0123abc"),
            ("process.runtime.version", "go1.27.4"),
            ("deployment.environment.name", "test"),
            ("telemetry.sdk.language", "go"),
        ] {
            assert_eq!(resource.text(name), value, "{name}");
        }
        assert_eq!(resource.text("service.instance.id").len(), 36);
        assert_eq!(resource, Resource::detect(std::process::id(), &input, &naming), "the same each time");
    }

    #[test]
    fn the_environment_of_a_process_names_it() {
        let mut resource = Resource::default();
        resource.set_text("service.name", "cart");
        resource.set_environment(
            "OTEL_RESOURCE_ATTRIBUTES=service.name=x,service.namespace=shop\0POD_NAME=cart-1\0OTEL_SERVICE_NAME=till\0",
        );
        let named: Vec<_> = resource.iter().map(|(name, value)| (name, value.to_string())).collect();
        let expected = [("k8s.pod.name", "cart-1"), ("service.name", "till"), ("service.namespace", "shop")];
        assert_eq!(named, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
