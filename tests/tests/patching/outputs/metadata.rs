//! Owner, mode, file capabilities, access control list and extended attributes of the input are the
//! output's, or a warning and the report name what is lost.
//!
//! Trusts the tools of libcap, acl and attr. Needs root for what only root may set.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use anyhow::{Result, ensure};
use gopatch_tests::{Gopatch, Scratch, release_binary};
use rustix::process::geteuid;
use serde_json::Value;

use super::{succeed, tool, with_program};

const JSON: [&str; 8] = ["in", "-o", "out", "--rules", "rules.yaml", "--format", "json", "-v"];

/// Whether the test may set what only root may.
fn is_root() -> Result<bool> {
    let is_root = geteuid().is_root();
    ensure!(is_root || std::env::var_os("CI").is_none(), "CI must be root, to give files owners and capabilities");
    Ok(is_root)
}

/// Everything that the tools show of a file besides its bytes.
fn metadata(scratch: &Scratch, name: &str) -> Result<String> {
    let file = fs::metadata(scratch.file(name))?;
    let capabilities = tool(scratch, "getcap", &[name])?;
    let capabilities = capabilities.strip_prefix(name).unwrap_or_default();
    let list = tool(scratch, "getfacl", &["--omit-header", "--numeric", name])?;
    let attributes = tool(scratch, "getfattr", &["--dump", "--match=-", "--encoding=hex", name])?;
    let attributes = attributes.lines().skip(1).collect::<Vec<_>>().join("\n");
    Ok(format!("{}:{} {:o}\n{capabilities}{list}{attributes}", file.uid(), file.gid(), file.mode()))
}

/// What the report says is lost, in order.
fn lost(done: &Gopatch) -> Result<Vec<String>> {
    let report: Value = serde_json::from_str(&done.stdout)?;
    let lost = report["output"]["lost"].as_array().cloned().unwrap_or_default();
    let lost: Vec<_> = lost.iter().map(|it| it["what"].as_str().unwrap_or_default().to_owned()).collect();
    for what in &lost {
        ensure!(done.stderr.contains(what), "no warning of {what}: {}", done.stderr);
    }
    Ok(lost)
}

/// Gives the input everything that a file can have.
fn set_everything(scratch: &Scratch) -> Result<()> {
    let input = scratch.file("in");
    chown(&input, Some(12345), Some(23456))?;
    fs::set_permissions(&input, Permissions::from_mode(0o6755))?;
    tool(scratch, "setfacl", &["--modify=user:4321:rx", "in"])?;
    tool(scratch, "setfattr", &["--name=user.origin", "--value=here", "in"])?;
    tool(scratch, "setcap", &["cap_net_bind_service,cap_sys_nice=ep", "in"])?;
    Ok(())
}

#[test]
fn everything_is_kept() -> Result<()> {
    let scratch = with_program()?;
    if !is_root()? {
        return Ok(());
    }
    set_everything(&scratch)?;
    let before = metadata(&scratch, "in")?;
    ensure!(before.contains("user:4321:r-x") && before.contains("user.origin"), "{before}");
    let done = succeed(&scratch, &JSON)?;
    ensure!(lost(&done)?.is_empty() && done.stderr.is_empty(), "{}", done.stderr);
    ensure!(metadata(&scratch, "out")? == before, "{}{before}", metadata(&scratch, "out")?);
    succeed(&scratch, &["restore", "out", "-o", "back"])?;
    ensure!(metadata(&scratch, "back")? == before, "{}{before}", metadata(&scratch, "back")?);
    Ok(())
}

/// A folder's default list, for new files, adds nothing to what the input allows.
#[test]
fn a_folders_default_list_is_not_the_outputs() -> Result<()> {
    let scratch = with_program()?;
    tool(&scratch, "setfacl", &["--remove-all", "in"])?;
    tool(&scratch, "setfacl", &["--default", "--modify=user:4321:rwx", "."])?;
    fs::set_permissions(scratch.file("in"), Permissions::from_mode(0o775))?;
    succeed(&scratch, &JSON)?;
    let list = |name| tool(&scratch, "getfacl", &["--omit-header", "--numeric", name]);
    ensure!(list("out")? == list("in")?, "{}", list("out")?);
    ensure!(!list("out")?.contains("4321"), "{}", list("out")?);
    Ok(())
}

/// Patches as another user than the owner, who may set neither owner nor capabilities.
#[test]
fn what_is_lost_is_named() -> Result<()> {
    let scratch = with_program()?;
    if !is_root()? {
        return Ok(());
    }
    set_everything(&scratch)?;
    fs::set_permissions(scratch.path(), Permissions::from_mode(0o777))?;
    let program = scratch.file("gopatch");
    fs::copy(release_binary("gopatch")?, &program)?;
    let as_other = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(arguments);
        Gopatch::run(command.current_dir(scratch.path()))
    };
    let all = [
        "group 23456",
        "set-group-id bit",
        "owner 12345",
        "set-user-id bit",
        "file capabilities (security.capability)",
    ];
    let done = as_other(&JSON)?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    ensure!(lost(&done)? == all, "{:?}", lost(&done)?);
    let kept = metadata(&scratch, "out")?;
    ensure!(kept.starts_with("65534:65534 100755\n"), "{kept}");
    ensure!(kept.contains("user:4321:r-x") && kept.contains("user.origin"), "{kept}");

    succeed(&scratch, &["-q", "in", "-o", "again", "--rules", "rules.yaml"])?;
    let done = as_other(&["restore", "again", "-o", "back"])?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    for what in all {
        ensure!(done.stderr.contains(what), "no warning of {what}: {}", done.stderr);
    }
    Ok(())
}

#[test]
fn a_signature_of_the_inputs_bytes_is_not_copied() -> Result<()> {
    let scratch = with_program()?;
    if !is_root()? {
        return Ok(());
    }
    tool(&scratch, "setfattr", &["--name=security.ima", "--value=0x0404aabb", "in"])?;
    tool(&scratch, "setfattr", &["--name=security.other", "--value=label", "in"])?;
    let done = succeed(&scratch, &JSON)?;
    ensure!(lost(&done)? == ["extended attribute security.ima"], "{}", done.stderr);
    let kept = metadata(&scratch, "out")?;
    ensure!(kept.contains("security.other") && !kept.contains("security.ima"), "{kept}");
    Ok(())
}

/// ramfs has no extended attributes.
#[test]
fn a_file_system_without_attributes() -> Result<()> {
    let scratch = with_program()?;
    if !is_root()? {
        return Ok(());
    }
    set_everything(&scratch)?;
    fs::create_dir(scratch.file("small"))?;
    let script = "mount -t ramfs none small && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(release_binary("gopatch")?);
    command.args(["in", "-o", "small/out", "--rules", "rules.yaml", "--format", "json"]);
    let done = Gopatch::run(command.current_dir(scratch.path()))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    let expected = [
        "access control list (system.posix_acl_access)",
        "extended attribute user.origin",
        "file capabilities (security.capability)",
    ];
    let mut lost = lost(&done)?;
    lost.sort();
    ensure!(lost == expected, "{lost:?}");
    Ok(())
}
