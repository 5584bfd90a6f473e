//! What describes this program: DWARF, or without it the program's own type data and the rules.
//!
//! Decides: which of the two, and what a function's parameters are.
//! Trusts: a signature only if its arguments take the bytes of stack that pclntab says.
//! Never does: let a rule's declaration pass that DWARF contradicts.

use crate::dwarf::{Sections, TypeInfo, Wanted};
use crate::elf::{Elf, Relative};
use crate::golang::{Function, GoBinary, symbol_name};
use crate::patch::PatchError;
use crate::rtypes::RuntimeTypes;
use crate::rules::Rule;
use crate::rules::declared::{DeclaredTypes, Difference, compare_signature, compare_types};
use crate::rules::resolve::{Places, ResolveError, named_types};
use crate::types::{Origin, Signature, TypeError, Types};

/// What describes the program's types.
pub enum ProgramTypes<'a> {
    /// DWARF.
    Dwarf(Box<TypeInfo<'a>>),
    /// What the program carries for itself.
    Runtime(RuntimeTypes<'a>),
}

/// Why it is not known where a function's parameters are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// DWARF leaves some out.
    #[error("DWARF does not describe its parameters as the compiler passes them, so none can be captured")]
    Incomplete,
    /// Neither DWARF nor a declaration.
    #[error(
        "without DWARF the program does not say what its parameters are; give the rule its `signature`, or patch a build \
         that has DWARF (no -ldflags=-s or -w)"
    )]
    Unknown,
    /// A declaration that cannot be this function's.
    #[error("by the rule's `signature` its arguments take {declared} bytes of stack, by the program's tables {args}")]
    ArgsSize {
        /// By the declaration.
        declared: u64,
        /// By pclntab.
        args: u32,
    },
    /// A declaration that is not what the program says.
    #[error("the rule's `signature` says `{}`, but the program has `{}`", .0.declared, .0.described)]
    Differs(Difference),
    /// A type that cannot be resolved.
    #[error("its parameters: {0}")]
    Resolve(#[from] ResolveError),
    /// A type that cannot be compared.
    #[error("its parameters: {0}")]
    Type(#[from] TypeError),
}

impl<'a> ProgramTypes<'a> {
    /// DWARF if Go's is there, else what the program carries for itself.
    pub fn load(
        sections: Option<&'a Sections<'_>>,
        rules: &[Rule],
        elf: &'a Elf<'a>,
        relocations: &'a [Relative],
        go: &GoBinary<'_>,
    ) -> Result<Self, PatchError> {
        if let Some(sections) = sections {
            let symbols: Vec<String> = rules.iter().flat_map(Rule::symbols).collect();
            let named: Vec<String> = rules.iter().flat_map(named_types).map(|name| symbol_name(&name)).collect();
            let wanted = Wanted {
                functions: symbols.iter().map(String::as_str).collect(),
                types: named.iter().map(String::as_str).chain(["runtime.g", "runtime.m", "runtime.p"]).collect(),
            };
            let info = TypeInfo::load(sections, &wanted, go.module_data.types)?;
            if !info.is_foreign() {
                return Ok(Self::Dwarf(Box::new(info)));
            }
        }
        Ok(Self::Runtime(RuntimeTypes::load(elf, relocations, go)?))
    }

    /// The types.
    pub fn get(&self) -> &dyn Types {
        match self {
            Self::Dwarf(info) => &**info,
            Self::Runtime(types) => types,
        }
    }

    /// Which of the two it is.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Dwarf(_) => Origin::Dwarf,
            Self::Runtime(_) => Origin::Runtime,
        }
    }

    /// How often a function was inlined into others; `None` without DWARF.
    pub fn inlined_copies(&self, name: &str) -> Option<u32> {
        match self {
            Self::Dwarf(info) => Some(info.inlined_copies(name)),
            Self::Runtime(_) => None,
        }
    }

    /// Where a function's parameters are; `None` when the rule captures nothing.
    pub fn places<'t>(
        &'t self,
        rule: &'t Rule,
        function: &Function<'_>,
        declared: &'t mut DeclaredTypes<'t>,
    ) -> Result<Option<Places<'t>>, ParameterError> {
        let signature = self.signature(rule, function.name, declared)?;
        if rule.captures().next().is_none() {
            return Ok(None);
        }
        let signature = signature.ok_or(match self.origin() {
            Origin::Dwarf => ParameterError::Incomplete,
            Origin::Runtime => ParameterError::Unknown,
        })?;
        let places = Places::new(declared, signature)?;
        // DWARF may leave out parameters, and a rule may be wrong. What pclntab says of the arguments' size tells.
        match (function.args, places.args_size()) {
            (Some(args), size) if u64::from(args) != size => Err(match self.origin() {
                Origin::Dwarf => ParameterError::Incomplete,
                Origin::Runtime => ParameterError::ArgsSize { declared: size, args },
            }),
            _ => Ok(Some(places)),
        }
    }

    /// DWARF's, with which the rule's must agree; without DWARF, the rule's.
    fn signature<'t>(
        &'t self,
        rule: &'t Rule,
        name: &str,
        declared: &mut DeclaredTypes<'t>,
    ) -> Result<Option<Signature<'t>>, ParameterError> {
        let agree = |difference: Option<Difference>| difference.map_or(Ok(()), |it| Err(ParameterError::Differs(it)));
        let declaration = rule.signature(name);
        if declaration.is_some() {
            agree(compare_types(self.get(), rule)?)?;
        }
        Ok(match self {
            Self::Dwarf(info) => {
                let signature = info.signature(name).map_err(TypeError::from)?;
                if let (Some(declaration), Some(signature)) = (declaration, &signature) {
                    agree(compare_signature(&**info, rule, declaration, signature)?)?;
                }
                signature
            }
            Self::Runtime(_) => declaration.map(|declaration| declared.signature(declaration)).transpose()?,
        })
    }
}
