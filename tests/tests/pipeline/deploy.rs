//! The files of deploy/ are valid for the tools that read them (schemas, linters, kustomize), and
//! what can run here runs.
//!
//! Decides which tool checks which file; `.ci/tools` installs them. No image is built and no
//! cluster is used; deploy/README.md lists what was not run.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use gopatch_tests::{Gopatch, NEWEST_GO, Process, SOON, Scratch, Server, gopatch, release_binary, tool};
use serde::Deserialize;
use serde_json::{Value, json};
use xtask::{corpus, workspace};

/// The overlays of deploy/kubernetes.
const OVERLAYS: [&str; 2] = ["daemonset", "sidecar"];

/// The oldest Kubernetes with sidecars, and the newest in the schemas.
const KUBERNETES: [&str; 2] = ["1.29.0", "1.37.0"];

fn deploy(path: &str) -> PathBuf {
    workspace::root().join("deploy").join(path)
}

/// Lets a tool check files; a complaint is an error. Returns whether the tool is installed.
fn check_with(name: &str, arguments: &[&str], files: &[PathBuf]) -> Result<bool> {
    let Some(mut command) = tool(name)? else { return Ok(false) };
    let output = command.args(arguments).args(files).output()?;
    let messages = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{}\n{}", workspace::command_line(&command), String::from_utf8_lossy(&messages));
    Ok(true)
}

fn parse_yaml(text: &str) -> Result<Vec<Value>> {
    serde_yaml_ng::Deserializer::from_str(text).map(|document| Ok(Value::deserialize(document)?)).collect()
}

fn read_yaml(path: &Path) -> Result<Value> {
    let documents = parse_yaml(&fs::read_to_string(path)?).with_context(|| path.display().to_string())?;
    documents.into_iter().next().with_context(|| format!("{} is empty", path.display()))
}

/// The output of kustomize for an overlay.
fn built(overlay: &str) -> Result<Option<String>> {
    let Some(mut kustomize) = tool("kustomize")? else { return Ok(None) };
    kustomize.arg("build").arg(deploy("kubernetes/overlays").join(overlay));
    workspace::output(&mut kustomize).map(Some)
}

fn list<'v>(value: &'v Value, pointer: &str) -> Result<&'v Vec<Value>> {
    value.pointer(pointer).and_then(Value::as_array).with_context(|| format!("no {pointer} in {value:#}"))
}

#[test]
fn kubernetes_accepts_the_manifests() -> Result<()> {
    let scratch = Scratch::new()?;
    for overlay in OVERLAYS {
        let Some(text) = built(overlay)? else { return Ok(()) };
        let file = scratch.file("built.yaml");
        for version in KUBERNETES {
            let arguments = ["--strict", "--quiet", "-k", version];
            fs::write(&file, &text)?;
            if !check_with("kubernetes-validate", &arguments, std::slice::from_ref(&file))? {
                return Ok(());
            }
            fs::write(&file, text.replace("containerPort:", "containrPort:"))?;
            let verdict = check_with("kubernetes-validate", &arguments, std::slice::from_ref(&file));
            ensure!(verdict.is_err(), "the validator accepts anything");
        }
        ensure!(!text.contains(":latest"), "{overlay}: an image without a version");
    }
    Ok(())
}

#[test]
fn manifests_are_numbered_in_the_order_of_application() -> Result<()> {
    for folder in ["base", "overlays/daemonset", "overlays/sidecar"] {
        let folder = deploy("kubernetes").join(folder);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name != "kustomization.yaml");
        names.sort();
        let resources = read_yaml(&folder.join("kustomization.yaml"))?;
        let resources = list(&resources, "/resources")?.iter().filter_map(Value::as_str);
        let listed: Vec<_> = resources.filter(|name| *name != "../../base").collect();
        ensure!(listed == names, "{}: {listed:?} is not {names:?}", folder.display());
    }
    Ok(())
}

#[test]
fn gopatchd_accepts_its_settings() -> Result<()> {
    let scratch = Scratch::new()?;
    let map = read_yaml(&deploy("kubernetes/base/20-gopatchd-config.yaml"))?;
    let text = map["data"]["gopatchd.yaml"].as_str().context("the map has gopatchd's file")?;
    fs::write(scratch.file("gopatchd.yaml"), text)?;
    let secret = read_yaml(&deploy("kubernetes/base/10-credentials.yaml"))?;
    let secret = secret["stringData"].as_object().context("the secret's variables")?;
    let secret: Vec<_> = secret.iter().filter_map(|(name, value)| Some((name, value.as_str()?))).collect();
    for (file, variables) in [(scratch.file("gopatchd.yaml"), &secret[..]), (deploy("compose/gopatchd.yaml"), &[])] {
        let mut check = Command::new(release_binary("gopatchd")?);
        check.args(["config", "check"]).arg(file).envs(variables.iter().copied());
        workspace::output(&mut check)?;
    }
    Ok(())
}

/// The pod template of an overlay's object.
fn pod(overlay: &str, kind: &str, name: &str) -> Result<Value> {
    let folder = deploy("kubernetes/overlays").join(overlay);
    for entry in fs::read_dir(folder)? {
        for document in parse_yaml(&fs::read_to_string(entry?.path())?)? {
            if (&document["kind"], &document["metadata"]["name"]) == (&json!(kind), &json!(name)) {
                return Ok(document["spec"]["template"]["spec"].clone());
            }
        }
    }
    bail!("{overlay} has no {kind} {name}")
}

#[test]
fn the_sidecar_needs_no_capability() -> Result<()> {
    let pod = pod("sidecar", "Deployment", "demo")?;
    for right in ["hostPID", "hostNetwork", "hostIPC"] {
        ensure!(pod.get(right).is_none(), "{right}");
    }
    ensure!(pod["securityContext"]["runAsNonRoot"] == true, "{:#}", pod["securityContext"]);
    let volumes = list(&pod, "/volumes")?;
    ensure!(volumes.iter().all(|volume| volume.get("hostPath").is_none()), "{volumes:#?}");
    for container in list(&pod, "/initContainers")?.iter().chain(list(&pod, "/containers")?) {
        let context = &container["securityContext"];
        let expected = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        });
        ensure!(*context == expected, "{}: {context:#}", container["name"]);
    }
    Ok(())
}

/// gopatchd runs with exactly the capabilities of the manifests, and sees what a program of another
/// user does.
#[test]
fn the_capabilities_of_the_manifests_suffice() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        ensure!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI must be root, to have capabilities to drop");
        eprintln!("NOT TESTED: the capabilities of deploy/kubernetes, which only root can drop");
        return Ok(());
    }
    let daemonset = pod("daemonset", "DaemonSet", "gopatchd")?;
    ensure!(daemonset["securityContext"]["runAsNonRoot"] == true, "{:#}", daemonset["securityContext"]);
    let context = &list(&daemonset, "/containers")?[0]["securityContext"];
    ensure!(context["capabilities"] == json!({ "drop": ["ALL"] }) && context.get("runAsUser").is_none(), "{context:#}");
    let daemonset_user = daemonset["securityContext"]["runAsUser"].clone();
    let user = pod("sidecar", "Deployment", "demo")?["securityContext"]["runAsUser"].clone();

    // systemd gives its capabilities to any user.
    let unit = fs::read_to_string(deploy("systemd/gopatchd.service"))?;
    let ambient = unit.lines().find_map(|line| line.strip_prefix("AmbientCapabilities=")).context("capabilities")?;
    let ambient = ambient.split(' ').filter_map(|name| name.strip_prefix("CAP_")).map(str::to_lowercase);
    let ambient: Vec<_> = std::iter::once("-all".to_owned()).chain(ambient).collect();
    let ambient = ambient.join(",+");

    for (backend, user, capabilities) in
        [("memfd", daemonset_user, "-all".into()), ("bpf", json!(61184), ambient), ("memfd", user, "-all".into())]
    {
        let scratch = Scratch::new()?;
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o777))?;
        let dropped = |user: &Value, capabilities: &str, program: &Path| {
            let mut command = Command::new("setpriv");
            let inherited = if *user == json!(0) { "-all" } else { capabilities };
            command.args(["--no-new-privs", "--clear-groups", "--inh-caps", inherited, "--ambient-caps", inherited]);
            command.args(["--bounding-set", capabilities]);
            command.args(["--reuid", &user.to_string(), "--regid", &user.to_string()]).arg(program);
            command
        };
        let gopatchd_here = scratch.file("gopatchd");
        fs::copy(release_binary("gopatchd")?, &gopatchd_here)?;
        let socket = scratch.file("gopatchd.sock");
        let mut command = dropped(&user, &capabilities, &gopatchd_here);
        command.args(["--print", "json", "--backend", backend, "--listen"]).arg(&socket);
        command.arg("--pin").arg(scratch.file("no-pin"));
        let mut gopatchd = Process::start(&mut command, scratch.path(), "gopatchd")?;
        let is_ready = |process: &Process| Ok(process.stderr().contains("listening on").then_some(()));
        gopatchd.wait_for("listen", SOON, is_ready).with_context(|| format!("{backend} with {capabilities}"))?;

        let program = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
        let server = Server::start(&scratch, &mut dropped(&json!(65532), "-all", &program))?;
        server.knock(|| Ok(gopatchd.stdout()?.contains("http.request.method")))?;
        server.stop()?;
        gopatchd.terminate()?;
    }
    Ok(())
}

#[test]
fn dockerfiles_are_clean_and_find_their_files() -> Result<()> {
    let files = ["gopatch.Dockerfile", "gopatchd.Dockerfile", "example/Dockerfile"];
    let files = files.map(|name| deploy("docker").join(name));
    check_with("hadolint", &[], &files)?;
    for file in &files {
        let text = fs::read_to_string(file)?;
        let copies = text.lines().filter_map(|line| line.strip_prefix("COPY ")).filter(|line| !line.starts_with("--"));
        for copy in copies {
            let source = copy.split(' ').next().unwrap_or_default();
            ensure!(workspace::root().join(source).exists(), "{}: {source} does not exist", file.display());
        }
    }
    Ok(())
}

#[test]
fn compose_accepts_the_file_and_finds_its_files() -> Result<()> {
    let file = deploy("compose/compose.yaml");
    check_with("check-jsonschema", &["--builtin-schema", "vendor.compose-spec"], std::slice::from_ref(&file))?;
    let compose = read_yaml(&file)?;
    let services = compose["services"].as_object().context("services")?;
    for (name, service) in services {
        let image = service["image"].as_str().context("an image")?;
        let version = image.rsplit_once(':').map(|(_, version)| version);
        ensure!(version.is_some_and(|version| version.contains('.')), "{name}: {image} is not pinned");
        let mounted = service["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let sources = mounted.filter_map(|volume| volume.split(':').next()).filter(|source| source.starts_with('.'));
        let built = service["build"]["dockerfile"].as_str().map(|path| format!("../../{path}"));
        for source in sources.map(str::to_owned).chain(built) {
            ensure!(deploy("compose").join(&source).exists(), "{name}: {source} does not exist");
        }
    }
    check_with("promtool", &["check", "config"], &[deploy("compose/prometheus.yaml")])?;
    let scraped = read_yaml(&deploy("compose/prometheus.yaml"))?;
    ensure!(scraped["scrape_configs"][0]["honor_labels"] == true, "the job of each program would be gopatchd");
    Ok(())
}

#[test]
fn systemd_accepts_the_unit() -> Result<()> {
    let Some(mut analyze) = tool("systemd-analyze")? else { return Ok(()) };
    let scratch = Scratch::new()?;
    let text = fs::read_to_string(deploy("systemd/gopatchd.service"))?;
    let gopatchd = release_binary("gopatchd")?.display().to_string();
    let unit = scratch.file("gopatchd.service");
    fs::write(&unit, text.replace("/usr/local/bin/gopatchd", &gopatchd))?;
    let output = analyze.args(["verify", "--man=no"]).arg(&unit).output()?;
    let messages = [output.stdout, output.stderr].concat();
    // It ignores what it does not know, with a message.
    ensure!(output.status.success() && messages.is_empty(), "{}", String::from_utf8_lossy(&messages));
    Ok(())
}

#[test]
fn the_unit_is_as_confined_as_its_functions_allow() -> Result<()> {
    const MOST: f64 = 2.0;
    let Some(mut analyze) = tool("systemd-analyze")? else { return Ok(()) };
    let unit = deploy("systemd/gopatchd.service");
    let report = workspace::output(analyze.args(["security", "--offline=true", "--no-pager"]).arg(unit))?;
    let overall = report.lines().find_map(|line| line.split("Overall exposure level").nth(1)).context("a level")?;
    let level = overall.split(' ').find_map(|word| word.parse::<f64>().ok()).context("a number")?;
    ensure!(level <= MOST, "{level} is more than {MOST}:\n{report}");
    Ok(())
}

/// The scripts of the action's steps, by the step's id or name.
fn action_scripts() -> Result<Vec<(String, String)>> {
    let action = read_yaml(&deploy("ci/action.yml"))?;
    let steps = list(&action, "/runs/steps")?.iter();
    let script = |step: &Value| {
        let name = step["id"].as_str().or(step["name"].as_str())?;
        Some((name.to_owned(), step["run"].as_str()?.to_owned()))
    };
    Ok(steps.filter_map(script).collect())
}

#[test]
fn shell_and_workflows_are_clean() -> Result<()> {
    let scratch = Scratch::new()?;
    let mut scripts = vec![deploy("ci/harden.sh")];
    scripts.extend(["run", "tools"].map(|name| workspace::root().join(".ci").join(name)));
    for (index, (_, script)) in action_scripts()?.into_iter().enumerate() {
        ensure!(!script.contains("${{"), "an expression in a script would be run as shell: {script}");
        scripts.push(scratch.file(&format!("step-{index}.sh")));
        fs::write(scratch.file(&format!("step-{index}.sh")), format!("#!/usr/bin/env bash\n{script}"))?;
    }
    check_with("shellcheck", &[], &scripts)?;
    let (action, workflow) = (deploy("ci/action.yml"), deploy("ci/example-workflow.yml"));
    for (schema, file) in [("vendor.github-actions", &action), ("vendor.github-workflows", &workflow)] {
        check_with("check-jsonschema", &["--builtin-schema", schema], std::slice::from_ref(file))?;
    }
    check_with("actionlint", &[], std::slice::from_ref(&workflow))?;

    // actionlint does not read the action of another repository.
    let (action, workflow) = (read_yaml(&action)?, read_yaml(&workflow)?);
    let steps = list(&workflow, "/jobs/image/steps")?.iter();
    let given = steps.filter(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("/deploy/ci@")));
    for (name, _) in given.filter_map(|step| step["with"].as_object()).flatten() {
        ensure!(action["inputs"].get(name).is_some(), "the action has no input {name}");
    }
    Ok(())
}

/// A shell with gopatch on its PATH, in a folder with a program as `server`.
fn pipeline(scratch: &Scratch) -> Result<Command> {
    fs::copy(corpus::build("httpserver", NEWEST_GO, "default")?, scratch.file("server"))?;
    let folder = release_binary("gopatch")?.parent().context("it is in a folder")?.to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH")?);
    let mut shell = Command::new("bash");
    shell.env("PATH", path).current_dir(scratch.path());
    Ok(shell)
}

/// Checks the files that a pipeline keeps of a successful run.
fn ensure_evidence(scratch: &Scratch, folder: &str, program: &str) -> Result<()> {
    let mut check = Command::new("sha256sum");
    workspace::output(check.args(["--check", "--strict", "SHA256SUMS"]).current_dir(scratch.file(folder)))?;
    let json =
        |name: &str| -> Result<Value> { Ok(serde_json::from_slice(&fs::read(scratch.file(folder).join(name))?)?) };
    let digest = workspace::output(Command::new("sha256sum").arg(scratch.file(program)))?;
    let digest = digest.split(' ').next().unwrap_or_default();
    ensure!(json("provenance.json")?["subject"][0]["digest"]["sha256"] == digest, "the provenance has another digest");
    ensure!(json("report.json")?["output"]["sha256"] == digest, "the report has another digest");
    ensure!(json("verdict.json")?["met"] == true, "the verdict is not `met`");
    Ok(())
}

#[test]
fn the_pipelines_script_hardens_a_program() -> Result<()> {
    let scratch = Scratch::new()?;
    let run_to = |out: &str, policy: &Path, flags: &[&str]| {
        let mut shell = pipeline(&scratch)?;
        shell.arg(deploy("ci/harden.sh")).args(["server", out, "evidence"]).arg(policy).args(flags);
        Gopatch::run(&mut shell)
    };
    let run = |policy: &Path, flags: &[&str]| run_to("out", policy, flags);
    let policy = deploy("ci/policy.yaml");
    let done = run(&policy, &[])?;
    ensure!(done.status == Some(0) && done.stderr.is_empty(), "{:?}\n{}", done.status, done.stderr);
    ensure_evidence(&scratch, "evidence", "out")?;
    Server::start(&scratch, &mut Command::new(scratch.file("out")))?.stop()?;

    // The policy judges refusals.
    fs::write(scratch.file("all.yaml"), gopatch::EVERYTHING.replace("partial: true, ", ""))?;
    let done = run(&policy, &["--rules", "all.yaml"])?;
    ensure!(done.status == Some(1) && done.stderr.contains(": refused: rule everything: "), "{}", done.stderr);
    ensure!(!scratch.file("out").exists(), "a program that does not meet the policy was written");
    fs::write(scratch.file("mild.yaml"), "required_rules: http.server\n")?;
    let done = run(&scratch.file("mild.yaml"), &["--rules", "all.yaml"])?;
    ensure!(done.status == Some(0) && scratch.file("out").exists(), "{:?}\n{}", done.status, done.stderr);

    fs::write(scratch.file("wrong.yaml"), "required_rule: http.server\n")?;
    for (policy, flags) in [("wrong.yaml", &[][..]), ("mild.yaml", &["--rules", "missing.yaml"])] {
        fs::write(scratch.file("out"), "from an earlier run")?;
        let done = run(&scratch.file(policy), flags)?;
        ensure!(done.status == Some(2) && !scratch.file("out").exists(), "{policy}: {:?}", done.status);
    }
    let done = run_to("./server", &policy, &[])?;
    ensure!(done.status == Some(2) && scratch.file("server").exists(), "{:?}: the program was removed", done.status);
    Ok(())
}

#[test]
fn the_actions_step_hardens_a_program() -> Result<()> {
    let scratch = Scratch::new()?;
    let scripts = action_scripts()?;
    let (_, script) = scripts.iter().find(|(name, _)| name == "harden").context("the action's step")?;
    fs::write(scratch.file("ours.yaml"), "rules: [{ name: ours, import: net/http, function: Error }]\n")?;
    let mut shell = pipeline(&scratch)?;
    // GitHub runs `shell: bash` with these arguments.
    shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
    shell.env("PROGRAM", "server").env("OUTPUT", "").env("POLICY", deploy("ci/policy.yaml")).env("EVIDENCE", "kept");
    shell.env("RULES", "ours.yaml\n").env("ACTION", deploy("ci")).env("GITHUB_OUTPUT", scratch.file("outputs"));
    let done = Gopatch::run(&mut shell)?;
    ensure!(done.status == Some(0), "{:?}\n{}", done.status, done.stderr);
    ensure!(fs::read_to_string(scratch.file("outputs"))? == "output=server.patched\nevidence=kept\n");
    ensure_evidence(&scratch, "kept", "server.patched")?;
    let provenance = fs::read_to_string(scratch.file("kept/provenance.json"))?;
    ensure!(provenance.contains("ours.yaml"), "the rules were not used: {provenance}");
    Ok(())
}

#[test]
fn the_dockerfiles_step_hardens_a_program() -> Result<()> {
    let scratch = Scratch::new()?;
    let text = fs::read_to_string(deploy("docker/example/Dockerfile"))?;
    let step = text.replace("\\\n", " ");
    let step = step.lines().find_map(|line| line.strip_prefix("RUN gopatch")).context("the step that patches")?;
    let ci = deploy("ci").display().to_string();
    let step = format!("gopatch{step}").replace("/out/", "./").replace("/etc/gopatch/", &format!("{ci}/"));
    let mut shell = pipeline(&scratch)?;
    let done = Gopatch::run(shell.args(["-c", &step]))?;
    ensure!(done.status == Some(0), "{step}: {:?}\n{}", done.status, done.stderr);
    let names =
        text.lines().find(|line| line.contains("--from=harden") && line.contains(".json")).context("evidence")?;
    for name in names.split(' ').filter_map(|word| word.strip_prefix("/out/")) {
        ensure!(scratch.file(name).is_file(), "{name} was not written");
    }
    Ok(())
}

#[test]
fn grafana_can_draw_the_dashboard() -> Result<()> {
    let text = fs::read_to_string(deploy("grafana/gopatch.json"))?;
    let dashboard: Value = serde_json::from_str(&text)?;
    let mut variables: Vec<&str> =
        list(&dashboard, "/templating/list")?.iter().filter_map(|variable| variable["name"].as_str()).collect();
    ensure!(["job", "instance", "route"].iter().all(|name| variables.contains(name)), "{variables:?}");
    variables.push("__rate_interval");
    for used in text.split('$').skip(1) {
        let used: String =
            used.trim_start_matches('{').chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        ensure!(variables.contains(&used.as_str()) || used == "__all", "${used} is not set");
    }
    let panels = list(&dashboard, "/panels")?;
    let mut taken = Vec::new();
    for (index, panel) in panels.iter().enumerate() {
        let title = &panel["title"];
        ensure!(panels[..index].iter().all(|other| other["id"] != panel["id"]), "{title}: its id is used twice");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap_or(u64::MAX));
        ensure!(x + w <= 24, "{title} is too wide");
        let overlaps =
            |&(x2, y2, w2, h2): &(u64, u64, u64, u64)| x < x2 + w2 && x2 < x + w && y < y2 + h2 && y2 < y + h;
        ensure!(!taken.iter().any(overlaps), "{title} overlaps another panel");
        taken.push((x, y, w, h));
        if panel["type"] != "row" {
            let targets = list(panel, "/targets")?;
            let has_query = |target: &Value| target["expr"].is_string() || target["queryType"].is_string();
            ensure!(!targets.is_empty() && targets.iter().all(has_query), "{title} has no query");
        }
    }
    // promtool checks queries only as rules.
    let queries = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries = queries.filter_map(|target| target["expr"].as_str());
    let rule = |query: &str| json!({ "record": "query", "expr": query.replace("$__rate_interval", "1m") });
    let queries: Vec<_> = queries.map(rule).collect();
    ensure!(queries.len() > 30, "{} queries", queries.len());
    let scratch = Scratch::new()?;
    let group = json!({ "groups": [{ "name": "dashboard", "rules": queries }] });
    fs::write(scratch.file("rules.json"), group.to_string())?;
    check_with("promtool", &["check", "rules", "--lint=none"], &[scratch.file("rules.json")])?;

    for metric in ["http_server_request_duration_seconds", "http_client_request_duration_seconds", "gopatchd_processes"]
    {
        ensure!(text.contains(metric), "no panel shows {metric}");
    }
    ensure!(panels.iter().any(|panel| panel["type"] == "nodeGraph"), "there is no service map");
    Ok(())
}
