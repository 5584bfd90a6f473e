//! The paths of a rule's `context`: each leads to a word, whatever its type.
//!
//! Trusts the types, as its parent does. Never does: guess the layout of a type.

use gopatch_protocol::manifest::Kind as RuleKind;
use gopatch_trampolines::plan::context::{BufioWriter, Chain, ContextPlan, Fields, MapLayout, Open, Word, Write};
use gopatch_trampolines::plan::{Leaf, Path, Root, Source};

use super::cursor::{Cursor, displacement, pointer, source};
use super::{End, Places, ResolveError};
use crate::rules::syntax::path::Expression;
use crate::rules::{Carries, Context, Rule};
use crate::types::Kind;

/// The type of a buffer to which a carrier writes.
pub const WRITER: &str = "bufio.Writer";

/// What is at the end of a path of a `context`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Interface,
    Map,
    Pointer,
    /// A word of any type.
    Word,
}

impl Wanted {
    fn is(self, kind: &Kind<'_>) -> bool {
        match self {
            Self::Interface => matches!(kind, Kind::Interface { empty: false }),
            Self::Map => matches!(kind, Kind::Map),
            Self::Pointer => matches!(kind, Kind::Pointer(_)),
            Self::Word => matches!(
                kind,
                Kind::Pointer(_) | Kind::Map | Kind::Slice(_) | Kind::UnsafePointer | Kind::Int { .. } | Kind::Chan
            ),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Interface => "is not an interface with methods, as a `context.Context` is",
            Self::Map => "is not a map",
            Self::Pointer => "is not a pointer",
            Self::Word => "is not a pointer, a map, a slice or a number",
        }
    }
}

/// A path that does not resolve: its key, its text, and why.
pub type Unresolved = (&'static str, String, ResolveError);

impl Places<'_> {
    /// How a call of the rule gets its context.
    pub fn open(&self, rule: &Rule, context: &Context, maps: Option<MapLayout>) -> Result<Open, Unresolved> {
        let chain = context.within.as_ref().map(|within| self.chain(rule, within, &context.through)).transpose()?;
        let read = context.read.as_ref().map(|read| self.fields(rule, ("context.read", read), maps)).transpose()?;
        let send = context.send.as_ref();
        let send =
            send.map(|send| self.word(rule, ("context.send", send), Wanted::Word, &mut End::Enter)).transpose()?;
        Ok(Open { is_server: rule.kind == RuleKind::Server, chain, read, send })
    }

    /// What a carrier does.
    pub fn carry(&self, rule: &Rule, carries: &Carries, maps: Option<MapLayout>) -> Result<ContextPlan, Unresolved> {
        match carries {
            Carries::Write { of, own, to } => {
                let of = self.word(rule, ("context.write.of", of), Wanted::Word, &mut End::Enter)?;
                let own = self.fields(rule, ("context.write.own", own), maps)?;
                let target = self.word(rule, ("context.write.to", to), Wanted::Pointer, &mut End::Enter)?;
                let writer = self.writer().map_err(|error| ("context.write.to", to.text.clone(), error))?;
                Ok(ContextPlan::Write(Box::new(Write { of, own, to: target, writer })))
            }
            Carries::Spawn { child, parent } => {
                let mut kept = Vec::new();
                let mut end = End::Exit(&mut kept);
                let child = self.word(rule, ("context.spawn.child", child), Wanted::Word, &mut end)?;
                let parent = self.word(rule, ("context.spawn.parent", parent), Wanted::Word, &mut end)?;
                Ok(ContextPlan::Spawn { child, parent })
            }
        }
    }

    fn chain(&self, rule: &Rule, within: &Expression, through: &[String]) -> Result<Chain, Unresolved> {
        let key = ("context.in", within);
        let tab = self.word(rule, key, Wanted::Interface, &mut End::Enter)?;
        let data = self.second_word(rule, within).map_err(|error| (key.0, within.text.clone(), error))?;
        let mut types = Vec::new();
        for name in through {
            let fail = |error: ResolveError| ("context.through", name.clone(), error);
            let known = self.types.type_by_name(name).map_err(|error| fail(error.into()))?;
            let known = known.map(|id| self.types.resolve(id)).transpose().map_err(|error| fail(error.into()))?;
            // A type that no interface holds leads nowhere.
            types.extend(known.and_then(|known| known.runtime_type).map(|va| va.0));
        }
        Ok(Chain { tab, data, types })
    }

    fn fields(
        &self,
        rule: &Rule,
        (key, text): (&'static str, &Expression),
        maps: Option<MapLayout>,
    ) -> Result<Fields, Unresolved> {
        let map = self.word(rule, (key, text), Wanted::Map, &mut End::Enter)?;
        let layout = maps.ok_or_else(|| (key, text.text.clone(), ResolveError::UnknownMaps))?;
        Ok(Fields { map, layout })
    }

    /// The first word of the value at the end of a path.
    fn word(
        &self,
        rule: &Rule,
        (key, expression): (&'static str, &Expression),
        wanted: Wanted,
        end: &mut End<'_>,
    ) -> Result<Word, Unresolved> {
        let find = |end: &mut End<'_>| {
            let cursor = self.walk(rule, expression, end)?;
            let resolved = self.types.resolve(cursor.type_id())?;
            if !wanted.is(&resolved.kind) {
                return Err(ResolveError::NotA { type_name: resolved.name.to_string(), what: wanted.what() });
            }
            self.word_at(cursor, 0, end)
        };
        find(end).map_err(|error| (key, expression.text.clone(), error))
    }

    fn second_word(&self, rule: &Rule, expression: &Expression) -> Result<Word, ResolveError> {
        let cursor = self.walk(rule, expression, &mut End::Enter)?;
        self.word_at(cursor, 8, &mut End::Enter)
    }

    fn word_at(&self, cursor: Cursor, word: u64, end: &mut End<'_>) -> Result<Word, ResolveError> {
        let resolved = self.types.resolve(cursor.type_id())?;
        let leaf = Leaf::Int { size: 8, signed: false };
        let (path, is_address) = match cursor {
            Cursor::Value { location, offset, origin, .. } => {
                let first = source(&location, offset.saturating_add(word), origin, &resolved, end)?;
                if matches!(first, Source::Register(register) if self.lost.contains(&register)) {
                    return Err(ResolveError::Unused(resolved.name.to_string()));
                }
                (Path { root: Root::Value { first, second: None }, steps: Vec::new(), offset: 0, leaf }, false)
            }
            Cursor::Memory { root, steps, offset, .. } => {
                let offset = displacement(offset.saturating_add(word), &resolved)?;
                (Path { root, steps, offset, leaf }, false)
            }
            Cursor::Word { .. } => {
                let (root, steps) = pointer(cursor, &resolved, end)?;
                (Path { root, steps, offset: 0, leaf }, true)
            }
        };
        let is_lost = |source| matches!(source, Source::Register(register) if self.lost.contains(&register));
        if matches!(end, End::Enter) && path.sources().any(is_lost) {
            return Err(ResolveError::Unused(resolved.name.to_string()));
        }
        Ok(Word { path, is_address })
    }

    /// Offsets in a `bufio.Writer`.
    fn writer(&self) -> Result<BufioWriter, ResolveError> {
        let missing = || ResolveError::NoType(WRITER.to_owned());
        let resolved = self.types.resolve(self.types.type_by_name(WRITER)?.ok_or_else(missing)?)?;
        let Kind::Struct(fields) = &resolved.kind else { return Err(missing()) };
        let offset = |name: &str| {
            let field = fields.iter().find(|field| field.name == name).ok_or_else(missing)?;
            displacement(field.offset, &resolved)
        };
        Ok(BufioWriter { err: offset("err")?, buf: offset("buf")?, n: offset("n")? })
    }
}
