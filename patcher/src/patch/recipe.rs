//! Options as a recipe in the manifest, and back.
//!
//! Decides: how each option is written down. Never does: note the name of a file or a folder.

use gopatch_protocol::manifest::{from_hex, to_hex};
use gopatch_protocol::recipe::{Recipe, RuleSource};
use gopatch_trampolines::attach::AttachMode;

use super::{Options, digest};
use crate::rules::Source;

/// Why a recipe cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// It uses the default rules of another build of gopatch.
    #[error(
        "made with default rules that this gopatch does not have, so it cannot be made again to compare\n\
         hint: verify with the gopatch that patched it"
    )]
    DefaultRules,
    /// A field has a value that gopatch never writes.
    #[error("invalid manifest: its recipe has an invalid {0}")]
    Invalid(&'static str),
}

/// The recipe for these options.
pub(super) fn from_options(options: &Options) -> Recipe {
    let default = Source::default_rules().text;
    let rules = options.rules.iter().map(|source| {
        if source.text == default {
            RuleSource::Default(digest(default.as_bytes()))
        } else {
            RuleSource::Text(source.text.clone())
        }
    });
    Recipe {
        rules: rules.collect(),
        socket: to_hex(&options.socket),
        attach: options.attach.map(|mode| mode.word().to_owned()),
        symbols: options.symbols,
        trailing_data: options.trailing_data,
    }
}

/// The options of a recipe.
pub fn to_options(recipe: &Recipe) -> Result<Options, RecipeError> {
    let default = Source::default_rules();
    let default_digest = digest(default.text.as_bytes());
    let rules = recipe.rules.iter().map(|rules| match rules {
        RuleSource::Default(sha256) if *sha256 == default_digest => Ok(default.clone()),
        RuleSource::Default(_) => Err(RecipeError::DefaultRules),
        RuleSource::Text(text) => Ok(Source { name: "rules in the manifest".to_owned(), text: text.clone() }),
    });
    let mode = |word: &String| {
        AttachMode::ALL.into_iter().find(|mode| mode.word() == word).ok_or(RecipeError::Invalid("attach"))
    };
    Ok(Options {
        rules: rules.collect::<Result<_, _>>()?,
        socket: from_hex(&recipe.socket).ok_or(RecipeError::Invalid("socket"))?,
        attach: recipe.attach.as_ref().map(mode).transpose()?,
        symbols: recipe.symbols,
        trailing_data: recipe.trailing_data,
    })
}
