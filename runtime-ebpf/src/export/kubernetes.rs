//! What Kubernetes knows about the pods of processes.
//!
//! Decides: when to query the API server: once a process has attached whose pod is unknown, and not
//! more often than `PAUSE`.
//! Trusts: the API server, whose certificate the service account of the pod holds.
//! Never does: anything outside of a pod, or anything but read pods. An API server that refuses is
//! logged once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::shared::Shared;
use crate::telemetry::process::Process;

/// The credentials of a pod (Kubernetes, "Accessing the Kubernetes API from a Pod").
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Time between two requests.
const PAUSE: Duration = Duration::from_secs(10);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a pod that the API server does not know is looked up.
const TRIES: u32 = 6;

/// Access to the API server.
#[derive(Debug)]
pub(crate) struct Api {
    client: reqwest::Client,
    pods: reqwest::Url,
    token: std::path::PathBuf,
}

#[derive(Debug, Deserialize)]
struct Pods {
    items: Vec<Pod>,
}

#[derive(Debug, Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    #[serde(default)]
    owner_references: Vec<Owner>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: String,
}

#[derive(Debug, Deserialize)]
struct Owner {
    kind: String,
    name: String,
}

impl Api {
    /// The API server of the cluster that gopatchd runs in; none outside of a cluster, or without
    /// an account.
    pub(crate) fn in_cluster() -> Result<Option<Self>> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (Some(host), Some(port)) = (variable("KUBERNETES_SERVICE_HOST"), variable("KUBERNETES_SERVICE_PORT"))
        else {
            return Ok(None);
        };
        let account = Path::new(ACCOUNT);
        if !account.join("token").exists() {
            return Ok(None);
        }
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let ca = std::fs::read(account.join("ca.crt")).context("cannot read the certificate of the cluster")?;
        let builder = reqwest::Client::builder().tls_certs_only(reqwest::Certificate::from_pem_bundle(&ca)?);
        let node = variable("K8S_NODE_NAME").or_else(|| variable("NODE_NAME"));
        Self::new(builder, &format!("https://{host}:{port}"), node.as_deref(), account.join("token")).map(Some)
    }

    fn new(builder: reqwest::ClientBuilder, base: &str, node: Option<&str>, token: std::path::PathBuf) -> Result<Self> {
        let mut pods = reqwest::Url::parse(base)?.join("/api/v1/pods")?;
        if let Some(node) = node {
            pods.query_pairs_mut().append_pair("fieldSelector", &format!("spec.nodeName={node}"));
        }
        Ok(Self { client: builder.timeout(PATIENCE).build()?, pods, token })
    }

    /// The visible pods, by their uid.
    async fn pods(&self) -> Result<HashMap<String, Pod>> {
        // Kubernetes renews the token from time to time.
        let token = std::fs::read_to_string(&self.token).context("cannot read the token of the service account")?;
        let answer = self.client.get(self.pods.clone()).bearer_auth(token.trim()).send().await?;
        if !answer.status().is_success() {
            bail!("the API server answered {}", answer.status());
        }
        let pods: Pods =
            serde_json::from_slice(&answer.bytes().await?).context("invalid answer from the API server")?;
        Ok(pods.items.into_iter().map(|pod| (pod.metadata.uid.clone(), pod)).collect())
    }
}

/// Looks up pods, forever.
pub(crate) async fn watch(shared: Arc<Shared>, api: Api) {
    let mut tries: HashMap<String, u32> = HashMap::new();
    let mut has_failed = false;
    loop {
        let unknown: Vec<_> =
            shared.processes.all().into_iter().filter(|process| is_unknown(process, &tries)).collect();
        if !unknown.is_empty() {
            match api.pods().await {
                Ok(pods) => {
                    has_failed = false;
                    for process in unknown {
                        let uid = process.state().resource.text("k8s.pod.uid").to_owned();
                        match pods.get(&uid) {
                            Some(pod) => apply_pod(&process, pod),
                            None => *tries.entry(uid).or_default() += 1,
                        }
                    }
                }
                Err(error) => {
                    if !has_failed {
                        tracing::warn!(
                            "cannot query the Kubernetes API server, so telemetry lacks the names of pods: {error:#}"
                        );
                    }
                    has_failed = true;
                }
            }
        }
        let known: Vec<_> = shared.processes.all();
        tries.retain(|uid, _| known.iter().any(|process| process.state().resource.text("k8s.pod.uid") == uid));
        tokio::time::sleep(if tries.is_empty() && !has_failed { PAUSE / 10 } else { PAUSE }).await;
    }
}

/// Whether a process is in a pod that has still to be looked up.
fn is_unknown(process: &Process, tries: &HashMap<String, u32>) -> bool {
    let state = process.state();
    let uid = state.resource.text("k8s.pod.uid");
    let is_owned = state.resource.iter().any(|(name, _)| OWNERS.iter().any(|(_, attribute)| *attribute == name));
    !uid.is_empty() && !state.pod_is_known && !is_owned && tries.get(uid).is_none_or(|tries| *tries < TRIES)
}

/// Kinds of owners of pods, and the attributes that name them.
const OWNERS: [(&str, &str); 5] = [
    ("ReplicaSet", "k8s.deployment.name"),
    ("Deployment", "k8s.deployment.name"),
    ("StatefulSet", "k8s.statefulset.name"),
    ("DaemonSet", "k8s.daemonset.name"),
    ("Job", "k8s.job.name"),
];

/// Adds what is known about the pod to the attributes of a process. Its own attributes win.
fn apply_pod(process: &Process, pod: &Pod) {
    let mut state = process.state();
    let mut resource = (*state.resource).clone();
    let Metadata { name, namespace, owner_references, .. } = &pod.metadata;
    let mut set = |attribute: &'static str, value: &str| {
        if resource.text(attribute).is_empty() {
            resource.set_text(attribute, value);
        }
    };
    set("k8s.pod.name", name);
    set("k8s.namespace.name", namespace);
    set("k8s.node.name", &pod.spec.node_name);
    for owner in owner_references {
        let Some((_, attribute)) = OWNERS.iter().find(|(kind, _)| *kind == owner.kind) else { continue };
        // The name of a replica set is that of its deployment, and a hash.
        let owner_name = match owner.kind.as_str() {
            "ReplicaSet" => {
                set("k8s.replicaset.name", &owner.name);
                owner.name.rsplit_once('-').map_or(owner.name.as_str(), |(deployment, _)| deployment)
            }
            _ => &owner.name,
        };
        set(attribute, owner_name);
    }
    state.resource = Arc::new(resource);
    state.pod_is_known = true;
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;
    use crate::telemetry::resource::Resource;

    #[test]
    fn a_pod_is_looked_up_and_names_its_processes() -> Result<()> {
        let uid = "a1b2c3d4-0000-1111-2222-333344445555";
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let body = format!(
            r#"{{"kind":"PodList","items":[{{"metadata":{{"name":"cart-7d4b-x","namespace":"shop","uid":"{uid}",
            "ownerReferences":[{{"kind":"ReplicaSet","name":"cart-7d4b","controller":true}}]}},"spec":{{"nodeName":"n1"}}}}]}}"#
        );
        let server = std::thread::spawn(move || -> std::io::Result<String> {
            let (mut stream, _) = listener.accept()?;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                request.extend(byte);
            }
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())?;
            Ok(String::from_utf8_lossy(&request).into_owned())
        });
        let token = tempfile::NamedTempFile::new()?;
        std::fs::write(token.path(), "secret\n")?;
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let pods = runtime.block_on(async {
            let api =
                Api::new(reqwest::Client::builder(), &format!("http://{address}"), Some("n1"), token.path().into())?;
            api.pods().await
        })?;
        let request = server.join().expect("no panic")?.to_lowercase();
        assert!(request.starts_with("get /api/v1/pods?fieldselector=spec.nodename%3dn1 "), "{request}");
        assert!(request.contains("authorization: bearer secret\r\n"), "{request}");

        let mut resource = Resource::default();
        resource.set_text("k8s.pod.uid", uid);
        resource.set_text("k8s.pod.name", "its own name");
        let process = Process::new(7, 0, resource, None);
        assert!(is_unknown(&process, &HashMap::new()));
        assert!(!is_unknown(&process, &HashMap::from([(uid.to_owned(), TRIES)])), "it was looked up often enough");
        apply_pod(&process, &pods[uid]);
        assert!(!is_unknown(&process, &HashMap::new()));
        let known = Arc::clone(&process.state().resource);
        for (attribute, value) in [
            ("k8s.pod.name", "its own name"),
            ("k8s.namespace.name", "shop"),
            ("k8s.node.name", "n1"),
            ("k8s.replicaset.name", "cart-7d4b"),
            ("k8s.deployment.name", "cart"),
        ] {
            assert_eq!(known.text(attribute), value, "{attribute}");
        }
        Ok(())
    }
}
