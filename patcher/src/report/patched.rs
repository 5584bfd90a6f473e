//! A patched file as `gopatch inspect` shows it.

use std::fmt::{self, Display, Formatter};

use gopatch_protocol::manifest::{At, Function, Manifest};

use super::text::{format_count, format_filter, format_size, format_skip};

/// The text form of a patched file's manifest. The file was verified.
pub struct ManifestText<'a>(
    /// The manifest.
    pub &'a Manifest,
);

impl Display for ManifestText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Manifest { input, functions, .. } = self.0;
        let package = input.main_package.as_deref().unwrap_or("unknown package");
        writeln!(f, "{package} ({}), patched by {}", input.go_version, self.0.tool)?;
        for (index, function) in functions.iter().enumerate() {
            self.write_function(f, index, function)?;
        }
        writeln!(f, "input: {}, sha256 {}", format_size(input.size), input.sha256)?;
        writeln!(f, "verified: every site leads to its thunk and back; every other byte is the input's")
    }
}

impl ManifestText<'_> {
    fn write_function(&self, f: &mut Formatter<'_>, index: usize, function: &Function) -> fmt::Result {
        let (entries, exits) = (self.hooks(index, function, At::Enter), self.hooks(index, function, At::Exit));
        let (entries, exits) = (format_count(entries, "entry", "entries"), format_count(exits, "exit", "exits"));
        writeln!(f, "  {:<24} {}: {entries}, {exits}", function.rule, function.name)?;
        if let Some(filter) = format_filter(function.when.as_deref(), function.sample) {
            writeln!(f, "  {:<24}   {filter}", "")?;
        }
        if let Some(constants) = &function.skip {
            writeln!(f, "  {:<24}   {}", "", format_skip(constants))?;
        }
        let points = self.0.points.iter().filter(|point| point.function as usize == index);
        let attributes: Vec<_> =
            points.flat_map(|point| &point.captures).map(|capture| capture.attribute.as_str()).collect();
        if !attributes.is_empty() {
            writeln!(f, "  {:<24}   records {}", "", attributes.join(", "))?;
        }
        Ok(())
    }

    /// Number of hooks at one end of a function.
    fn hooks(&self, index: usize, function: &Function, at: At) -> usize {
        let is_counted = |point: &u32| {
            let point = &self.0.points[*point as usize];
            point.function as usize == index && point.at == at
        };
        let hooks = self.0.sites.iter().filter_map(|site| site.point).filter(is_counted).count();
        // A function that does not run is replaced at its entry, hooked there or not.
        if at == At::Enter { hooks.max(usize::from(function.skip.is_some())) } else { hooks }
    }
}
