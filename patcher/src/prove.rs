//! The proof that gopatch made a file: make it again and compare every byte.
//!
//! Decides: whether the file is the one output of its input, its recipe and this gopatch. So no
//! byte can be changed: not of the emitted code, the headers, the names of sections or the
//! manifest, whatever digests are renewed.
//! Trusts: the phases of [`crate::patch`], which is why [`crate::verify`], which trusts nothing of
//! them, comes first.
//!
//! Without the input, it is restored from the file itself. Then the proof is that the file is an
//! output for *some* input; with the input, for that one.

use gopatch_protocol::manifest::Manifest;

use crate::patch::recipe::{self, RecipeError};
use crate::patch::{self, PatchError, TOOL};
use crate::patched_file::{headers_of, read_manifest};
use crate::verify::{self, VerifyError};

/// Why it is not proved that gopatch made a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It fails the checks that come first.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Another version made it, whose output this one does not know.
    #[error(
        "made by {0}, which alone can make it again to compare; this is {TOOL}\n\
         hint: verify with that version, or restore the input and patch it with this one"
    )]
    OtherVersion(String),
    /// The manifest has no recipe.
    #[error(
        "made by a gopatch that did not record its rules and options, so it cannot be made again to compare\n\
         hint: restore the input and patch it again"
    )]
    NoRecipe,
    /// The recipe cannot be followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The restored input cannot be patched by the recipe.
    #[error("cannot be made again from its input and its recipe")]
    Patch(#[source] Box<PatchError>),
    /// It differs from what gopatch makes.
    #[error(
        "differs at byte {offset:#x}, in {part}, from what {TOOL} makes of its input: changed afterwards, or made by \
         another build of gopatch"
    )]
    Differs {
        /// Offset in the file of the first difference.
        offset: usize,
        /// What lies there.
        part: &'static str,
    },
}

impl ProofError {
    /// Whether another gopatch may be able to prove it.
    pub fn is_of_other_gopatch(&self) -> bool {
        matches!(self, Self::OtherVersion(_) | Self::NoRecipe | Self::Recipe(RecipeError::DefaultRules))
    }
}

/// Checks `output`, also against `input` if given, makes it again, compares, and returns its
/// manifest.
pub fn prove(output: &[u8], input: Option<&[u8]>) -> Result<Manifest, ProofError> {
    // Another version's file may follow other rules than those that are checked here.
    let (manifest, _) = headers_of(output)
        .map_err(VerifyError::from)
        .and_then(|elf| read_manifest(&elf, output).map_err(VerifyError::from))?;
    if manifest.tool != TOOL {
        return Err(ProofError::OtherVersion(manifest.tool));
    }
    let recipe = manifest.recipe.as_ref().ok_or(ProofError::NoRecipe)?;
    let options = recipe::to_options(recipe)?;
    let (manifest, restored) = verify::verify_and_restore(output, input)?;
    let plan = patch::plan(&restored, &options).map_err(|error| ProofError::Patch(Box::new(error)))?;
    // The digest in the manifest is that of the restored input, as the verifier has checked.
    let again = plan.finish(manifest.input.sha256.clone()).output.to_vec();
    match verify::first_difference(&again, output) {
        Some(offset) => Err(ProofError::Differs { offset, part: part_at(offset as u64, &manifest) }),
        None => Ok(manifest),
    }
}

/// What lies at an offset of an output.
fn part_at(offset: u64, manifest: &Manifest) -> &'static str {
    let code = &manifest.code;
    let code_end = code.offset.saturating_add(code.size);
    let tables = headers_end(manifest);
    match offset {
        _ if offset < tables => "the ELF header or the program headers",
        _ if offset < manifest.input.size => "the program's own bytes",
        _ if offset < code.offset => "what precedes the emitted code",
        _ if offset < code_end => "the emitted code",
        _ => "the manifest, the section headers or their names",
    }
}

/// The end of the overwritten headers.
fn headers_end(manifest: &Manifest) -> u64 {
    let ends = manifest.patches.iter().map(|patch| patch.offset.saturating_add(patch.original.len() as u64 / 2));
    ends.max().unwrap_or(0)
}
