//! What a file has besides its bytes: owner, mode, and extended attributes, which hold file
//! capabilities, access control lists and labels.
//!
//! Decides: in which order they are set, and which are lost. A set-id bit goes only with its owner:
//! with another, the program would run as the wrong user.
//! Never does: copy a signature of other bytes (IMA, EVM).

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

use gopatch::report::LostReport;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

/// Most bytes of a list of names, and of a value (`XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const MAX_ATTRIBUTE: usize = 64 << 10;
const CAPABILITIES: &str = "security.capability";
const ACCESS_LIST: &str = "system.posix_acl_access";
/// Signatures and digests of the file's bytes.
const SIGNATURES: [&str; 2] = ["security.ima", "security.evm"];

const SET_USER_ID: u32 = 0o4000;
const SET_GROUP_ID: u32 = 0o2000;

/// A file's metadata.
pub(crate) struct Metadata {
    mode: u32,
    owner: u32,
    group: u32,
    attributes: Vec<(String, Result<Vec<u8>, Errno>)>,
}

impl Metadata {
    /// Reads a file's.
    pub(crate) fn read(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let value = |name: String| {
            let value = attribute(file, &name);
            (name, value)
        };
        let mut attributes: Vec<_> = attribute_names(file)?.into_iter().map(value).collect();
        // File capabilities come last, so that no other change can clear them.
        attributes.sort_by_key(|(name, _)| name == CAPABILITIES);
        let (owner, group) = (metadata.uid(), metadata.gid());
        Ok(Self { mode: metadata.mode() & 0o7777, owner, group, attributes })
    }

    /// Gives a file, whose bytes are all written, this metadata, and returns what could not be kept.
    pub(crate) fn apply_to(&self, file: &File) -> io::Result<Vec<LostReport>> {
        let mut lost = Vec::new();
        let mut lose = |what: String, why: String| lost.push(LostReport { what, why });
        // A change of the owner clears set-id bits and capabilities.
        let now = file.metadata()?;
        let mut mode = self.mode;
        if let Some(Err(error)) = (now.gid() != self.group).then(|| fchown(file, None, Some(self.group))) {
            lose(format!("group {}", self.group), error.to_string());
            if mode & SET_GROUP_ID != 0 {
                lose("set-group-id bit".to_owned(), "the group differs".to_owned());
                mode &= !SET_GROUP_ID;
            }
        }
        if let Some(Err(error)) = (now.uid() != self.owner).then(|| fchown(file, Some(self.owner), None)) {
            lose(format!("owner {}", self.owner), error.to_string());
            if mode & SET_USER_ID != 0 {
                lose("set-user-id bit".to_owned(), "the owner differs".to_owned());
                mode &= !SET_USER_ID;
            }
        }
        // The folder may have given the file a list that the other lacks.
        if !self.attributes.iter().any(|(name, _)| name == ACCESS_LIST) && attribute(file, ACCESS_LIST).is_ok() {
            fremovexattr(file, ACCESS_LIST)?;
        }
        file.set_permissions(Permissions::from_mode(mode))?;
        for (name, value) in &self.attributes {
            if let Err(why) = set_attribute(file, name, value.as_deref().map_err(|error| *error)) {
                lose(describe(name), why);
            }
        }
        let missing = mode & !file.metadata()?.mode();
        for (bit, what) in [(SET_USER_ID, "set-user-id bit"), (SET_GROUP_ID, "set-group-id bit")] {
            if missing & bit != 0 {
                lose(what.to_owned(), "the file system or the kernel cleared it".to_owned());
            }
        }
        Ok(lost)
    }
}

/// Sets an attribute; an error is the reason why it is lost.
fn set_attribute(file: &File, name: &str, value: Result<&[u8], Errno>) -> Result<(), String> {
    let value = value.map_err(|error| error.to_string())?;
    if SIGNATURES.contains(&name) {
        // The kernel may have made a new one.
        return attribute(file, name).map(drop).map_err(|_| "it signs the bytes of the other file".to_owned());
    }
    let set = fsetxattr(file, name, value, XattrFlags::empty());
    // The new file may have it already.
    if attribute(file, name).as_deref() == Ok(value) {
        return Ok(());
    }
    Err(set.err().map_or_else(|| "the file system did not keep it".to_owned(), |error| error.to_string()))
}

fn attribute(file: &File, name: &str) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0; MAX_ATTRIBUTE];
    let len = fgetxattr(file, name, &mut value[..])?;
    value.truncate(len);
    Ok(value)
}

/// The names of a file's attributes. A file system without any has none.
fn attribute_names(file: &File) -> io::Result<Vec<String>> {
    let mut names = vec![0; MAX_ATTRIBUTE];
    let len = match flistxattr(file, &mut names[..]) {
        Err(Errno::NOTSUP | Errno::NOSYS) => 0,
        len => len?,
    };
    let names = names[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

fn describe(attribute: &str) -> String {
    match attribute {
        CAPABILITIES => format!("file capabilities ({CAPABILITIES})"),
        ACCESS_LIST => format!("access control list ({ACCESS_LIST})"),
        other => format!("extended attribute {other}"),
    }
}
