//! The program's types and signatures: from DWARF, or without it from its run-time type data and
//! the rules.
//!
//! Decides: which of the two describes the program, and what a function's parameters are.
//! Trusts: a signature only if its arguments take as many bytes of stack as pclntab says.
//! Never does: accept a rule's declaration that DWARF contradicts.

use std::collections::HashSet;

use gopatch_trampolines::plan::context::MapLayout;
use gopatch_trampolines::plan::{Gpr, TypeData};

use crate::dwarf::{DwarfError, Sections, TypeInfo, WantedNames};
use crate::elf::{Elf, Relative};
use crate::golang::symbol::{Name, symbol_name};
use crate::golang::{Function, GoBinary, GoVersion};
use crate::rtypes::{self, RuntimeTypeError, RuntimeTypes};
use crate::rules::Rule;
use crate::rules::declared::{DeclaredTypes, Difference, compare_signature, compare_types};
use crate::rules::resolve::{Places, ResolveError, named_types};
use crate::types::{Origin, Parameter, Signature, TypeError, Types};

/// The hidden parameter of an instance of a generic function: a pointer that describes its type
/// arguments. It comes first; since Go 1.20, after the receiver. Early versions' DWARF does not
/// show it.
const DICTIONARY: &str = ".dict";

/// The description of the program's types.
pub struct ProgramTypes<'a> {
    description: Description<'a>,
    /// The program's run-time type data, if its layout is known.
    type_data: Option<TypeData>,
    maps: Option<MapLayout>,
}

enum Description<'a> {
    /// DWARF, and the version of Go that wrote it.
    Dwarf(Box<TypeInfo<'a>>, GoVersion),
    /// Run-time type data.
    Runtime(RuntimeTypes<'a>),
}

/// Why a program's types cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the error of one description")]
pub enum ProgramError {
    #[error(transparent)]
    Dwarf(#[from] DwarfError),
    #[error(transparent)]
    RuntimeTypes(#[from] RuntimeTypeError),
}

/// Why a function's parameters cannot be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// DWARF leaves out some parameters.
    #[error("DWARF does not describe every parameter, so none can be captured")]
    Incomplete,
    /// There is neither DWARF nor a declaration.
    #[error(
        "parameters unknown: the program has no DWARF, and the rule no `signature` for the function\n\
         hint: add the `signature`, or patch a build with DWARF (without -ldflags=-s or -w)"
    )]
    Unknown,
    /// The declaration does not fit the size of the arguments.
    #[error("the rule's `signature` needs {declared} bytes of arguments on the stack, but the program has {args}")]
    ArgsSize {
        /// Bytes, by the declaration.
        declared: u64,
        /// Bytes, by pclntab.
        args: u32,
    },
    /// The declaration differs from the program's types.
    #[error("the rule's `signature` says `{}`, but the program has `{}`", .0.declared, .0.described)]
    Differs(Difference),
    /// A type cannot be resolved.
    #[error("parameters: {0}")]
    Resolve(#[from] ResolveError),
    /// A type cannot be read.
    #[error("parameters: {0}")]
    Type(#[from] TypeError),
}

impl<'a> ProgramTypes<'a> {
    /// Loads DWARF if Go wrote any, else the run-time type data. `functions` are the only ones that
    /// may be queried later, by symbol name without type arguments.
    pub fn load(
        sections: Option<&'a Sections<'_>>,
        rules: &[Rule],
        functions: &HashSet<&str>,
        elf: &'a Elf<'a>,
        relocations: &'a [Relative],
        go: &GoBinary<'_>,
    ) -> Result<Self, ProgramError> {
        let description = Self::describe(sections, rules, functions, elf, relocations, go)?;
        let types = &go.module_data;
        let size = types.end_types.offset_from(types.types).and_then(|size| i32::try_from(size).ok());
        let type_data = size.filter(|_| rtypes::is_known(go.version));
        let type_data = type_data.map(|size| TypeData { va: types.types.0, size: size as u32 });
        Ok(Self { description, type_data, maps: map_layout(go) })
    }

    fn describe(
        sections: Option<&'a Sections<'_>>,
        rules: &[Rule],
        functions: &HashSet<&str>,
        elf: &'a Elf<'a>,
        relocations: &'a [Relative],
        go: &GoBinary<'_>,
    ) -> Result<Description<'a>, ProgramError> {
        if let Some(sections) = sections {
            let named: Vec<String> = rules.iter().flat_map(named_types).map(|name| symbol_name(&name)).collect();
            let wanted = WantedNames {
                functions: functions.clone(),
                types: named.iter().map(String::as_str).chain(["runtime.g", "runtime.m", "runtime.p"]).collect(),
            };
            let info = TypeInfo::load(sections, &wanted, go.module_data.types)?;
            if !info.is_foreign() {
                return Ok(Description::Dwarf(Box::new(info), go.version));
            }
        }
        Ok(Description::Runtime(RuntimeTypes::load(elf, relocations, go)?))
    }

    /// The types.
    pub fn get(&self) -> &dyn Types {
        match &self.description {
            Description::Dwarf(info, _) => &**info,
            Description::Runtime(types) => types,
        }
    }

    /// How the program's maps lie in memory, if that is known.
    pub fn maps(&self) -> Option<MapLayout> {
        self.maps
    }

    /// Which of the two describes them.
    pub fn origin(&self) -> Origin {
        match &self.description {
            Description::Dwarf(..) => Origin::Dwarf,
            Description::Runtime(_) => Origin::Runtime,
        }
    }

    /// The functions that hold inlined copies of a function, one for each copy; `None` without
    /// DWARF.
    pub fn inlined_into(&self, function: &Function<'_>) -> Result<Option<Vec<String>>, DwarfError> {
        let Description::Dwarf(info, _) = &self.description else { return Ok(None) };
        let into = info.inlined_into(name_in_dwarf(info, function))?;
        Ok(Some(into.into_iter().map(str::to_owned).collect()))
    }

    /// Whether a function was inlined where it may have left no instruction. DWARF shows this
    /// within the function's own package, and no other package imports main. `None` if it is
    /// unknown.
    pub fn was_inlined(&self, function: &Function<'_>) -> Option<bool> {
        let Description::Dwarf(info, _) = &self.description else { return None };
        let was_inlined = info.was_inlined(name_in_dwarf(info, function));
        (was_inlined || function.name.starts_with("main.")).then_some(was_inlined)
    }

    /// Where a function's parameters and results are; `None` when the rule needs none of them.
    /// `lost` are the registers whose arguments a hook at the entry may find overwritten.
    pub fn places<'t>(
        &'t self,
        rule: &'t Rule,
        function: &Function<'_>,
        declared: &'t mut DeclaredTypes<'t>,
        lost: &'t [Gpr],
    ) -> Result<Option<Places<'t>>, ParameterError> {
        let signature = self.signature(rule, function, declared)?;
        let captures = rule.expressions().next().is_some();
        if !captures && rule.skip.is_none() {
            return Ok(None);
        }
        let signature = signature.ok_or(match self.origin() {
            Origin::Dwarf => ParameterError::Incomplete,
            Origin::Runtime => ParameterError::Unknown,
        })?;
        let dictionary = Parameter { name: DICTIONARY, type_id: declared.word(), is_result: false };
        let declared = &*declared;
        let place = |signature| Places::new(declared, signature, self.type_data, lost);
        let mut with_dictionary = signature.clone();
        let mut places = place(signature)?;
        // DWARF may leave out parameters, and a rule may be wrong. The size of the arguments in
        // pclntab shows it.
        let has_size = |places: &Places<'_>| function.args.is_none_or(|args| u64::from(args) == places.args_size());
        if may_have_dictionary(function) && !with_dictionary.parameters.iter().any(|known| known.name == DICTIONARY) {
            let at = usize::from(!self.dictionary_is_first(function)).min(with_dictionary.parameters.len());
            with_dictionary.parameters.insert(at, dictionary);
            let with_dictionary = place(with_dictionary)?;
            let has_dictionary = match &self.description {
                Description::Dwarf(info, _) => has_dictionary(name_in_dwarf(info, function)),
                Description::Runtime(_) => None,
            };
            match (has_size(&places), has_size(&with_dictionary), has_dictionary) {
                (true, true, None) => return Err(ParameterError::Incomplete),
                (false, _, _) | (true, true, Some(true)) => places = with_dictionary,
                (true, ..) => {}
            }
        }
        let args = function.args.map(u64::from);
        match (args, places.args_size()) {
            // DWARF always has all results.
            (Some(_), _) if !captures && self.origin() == Origin::Dwarf && places.results_are_in_registers() => {
                Ok(Some(places))
            }
            (Some(args), size) if args != size => Err(match self.origin() {
                Origin::Dwarf => ParameterError::Incomplete,
                Origin::Runtime => ParameterError::ArgsSize { declared: size, args: args as u32 },
            }),
            _ => Ok(Some(places)),
        }
    }

    /// Whether the dictionary comes before the receiver.
    fn dictionary_is_first(&self, function: &Function<'_>) -> bool {
        let is_method = Name::parse(function.name).is_some_and(|name| name.receiver().is_some());
        !is_method || matches!(&self.description, Description::Dwarf(_, version) if *version < GoVersion::go1(20))
    }

    /// The signature from DWARF, with which the rule's must agree; without DWARF, the rule's.
    fn signature<'t>(
        &'t self,
        rule: &'t Rule,
        function: &Function<'_>,
        declared: &mut DeclaredTypes<'t>,
    ) -> Result<Option<Signature<'t>>, ParameterError> {
        let agree = |difference: Option<Difference>| difference.map_or(Ok(()), |it| Err(ParameterError::Differs(it)));
        let declaration = rule.signature(function.name);
        if declaration.is_some() {
            agree(compare_types(self.get(), rule)?)?;
        }
        Ok(match &self.description {
            Description::Dwarf(info, _) => {
                let signature = info.signature(name_in_dwarf(info, function)).map_err(TypeError::from)?;
                if let (Some(declaration), Some(signature)) = (declaration, &signature) {
                    agree(compare_signature(&**info, rule, declaration, signature)?)?;
                }
                signature
            }
            Description::Runtime(_) => declaration.map(|declaration| declared.signature(declaration)).transpose()?,
        })
    }
}

/// How maps lie in memory, by the version of Go and its experiments. Go 1.24 and 1.25 can be built
/// with the old maps, 1.27 with maps of another layout.
fn map_layout(go: &GoBinary<'_>) -> Option<MapLayout> {
    let experiments = go.build_info.setting("GOEXPERIMENT").unwrap_or_default();
    let has = |name| experiments.split(',').any(|experiment| experiment == name);
    let version = go.version;
    if has("mapsplitgroup") || version < GoVersion::go1(18) || version >= GoVersion::go1(28) {
        return None;
    }
    let is_old = version < GoVersion::go1(24) || has("noswissmap");
    Some(if is_old { MapLayout::Buckets } else { MapLayout::Groups })
}

/// Whether the function may be an instance of a generic function.
fn may_have_dictionary(function: &Function<'_>) -> bool {
    function.name.contains('[')
}

/// Whether the function of that name, with its type arguments, has a dictionary. Instances that
/// several types share have one; closures in them have not, and `None` is for what may be one.
fn has_dictionary(name: &str) -> Option<bool> {
    let (instance, rest) = name.rsplit_once(']')?;
    let is_shared = instance.contains("[go.shape.");
    let method = rest.strip_prefix(").").or(rest.strip_prefix('.'));
    let is_plain = |name: &str| !name.contains(['.', '-']);
    let may_be_closure = |name: &str| ["func", "gowrap", "deferwrap"].iter().any(|made| name.starts_with(made));
    match method {
        None if rest.is_empty() => Some(is_shared),
        Some(method) if is_plain(method) && (rest.starts_with(')') || !may_be_closure(method)) => Some(is_shared),
        _ => None,
    }
}

/// The function's name in DWARF. There, instances of a generic function have different names; in
/// pclntab not before Go 1.26.
fn name_in_dwarf<'n>(info: &'n TypeInfo<'_>, function: &'n Function<'_>) -> &'n str {
    let instance = function.name.contains('[').then(|| info.instance_at(function.start)).flatten();
    instance.unwrap_or(function.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_instances_have_a_dictionary() {
        for name in ["m.F[go.shape.int]", "m.(*T[go.shape.[]uint8]).M", "m.T[go.shape.int,go.shape.string].M"] {
            assert_eq!(has_dictionary(name), Some(true), "{name}");
        }
        for name in ["m.F[int]", "m.(*T[string]).M"] {
            assert_eq!(has_dictionary(name), Some(false), "{name}");
        }
        let closures = ["m.F[go.shape.int].func1", "m.(*T[go.shape.int]).M.func2", "m.(*T[go.shape.int]).M-fm", "m.F"];
        assert!(closures.iter().all(|name| has_dictionary(name).is_none()));
    }
}
