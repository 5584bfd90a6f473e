//! Synopses, made from what the programs print for `-h`.
//!
//! Trusts: clap's form of a help text.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result};
use xtask::workspace;

/// Widest line of a synopsis.
const WIDTH: usize = 100;

/// A command with more options than this has them in a synopsis of its own only.
const MANY_OPTIONS: usize = 12;

/// The synopses of a program or command and of all its commands, as a code block.
pub(super) fn of_program(command: &[&str]) -> Result<String> {
    let mut text = "```text\n".to_owned();
    add(command, true, &mut text)?;
    text += "```\n";
    Ok(text)
}

fn add(command: &[&str], is_whole: bool, text: &mut String) -> Result<()> {
    let (program, arguments) = command.split_first().context("a synopsis is of a program")?;
    let mut call = Command::new(workspace::release_binary(program));
    let help = workspace::output(call.args(arguments).arg("-h"))?;
    let help = Help::parse(&help, command).with_context(|| format!("cannot understand {} -h", command.join(" ")))?;
    if let Some(parts) = help.parts(is_whole) {
        write_wrapped(&command.join(" "), &parts, text);
    }
    for name in &help.commands {
        add(&[command, &[name]].concat(), false, text)?;
    }
    Ok(())
}

/// A help text, as far as a synopsis needs it.
#[derive(Debug, PartialEq)]
struct Help {
    /// What follows the command in the usage line; none if the command only has commands.
    usage: Option<String>,
    /// Arguments and options: what is typed first (`--pid`, `FILE`), and the whole of it.
    arguments: Vec<(String, String)>,
    options: Vec<(String, String)>,
    commands: Vec<String>,
}

impl Help {
    fn parse(text: &str, command: &[&str]) -> Option<Self> {
        let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "))?;
        let usage = usage.strip_prefix(&command.join(" "))?.trim();
        let mut help = Self {
            usage: (usage != "<COMMAND>").then(|| usage.to_owned()),
            arguments: Vec::new(),
            options: Vec::new(),
            commands: Vec::new(),
        };
        for (section, entry) in entries(text) {
            let what = entry.split("  ").next()?.trim();
            match section {
                "Commands" if what != "help" => help.commands.push(what.to_owned()),
                "Arguments" => {
                    let name = without_brackets(what);
                    help.arguments.push((name.clone(), values(&entry).unwrap_or(name)));
                }
                "Options" => {
                    // `-o, --output <OUT>`, `--symbols`, `--variants <NAME,...>`
                    let (flags, value) =
                        what.split_once('<').map_or((what, None), |(flags, value)| (flags, Some(value)));
                    let mut flags = flags.split([',', ' ', '[', '=']).filter(|flag| !flag.is_empty());
                    let flag = flags.next()?.to_owned();
                    let long = flags.next().unwrap_or(&flag).to_owned();
                    if long == "--help" || long == "--version" {
                        continue;
                    }
                    let value = value.map(|value| {
                        let name = value.trim_end_matches([']', '>', '.']);
                        let (name, more) = name.strip_suffix(',').map_or((name, ""), |name| (name, ",..."));
                        format!(" {}{more}", values(&entry).unwrap_or_else(|| name.to_owned()))
                    });
                    help.options.push((long, flag + &value.unwrap_or_default()));
                }
                _ => {}
            }
        }
        Some(help)
    }

    /// The parts of a synopsis: arguments, required options, other options, and what follows `--`.
    fn parts(&self, is_whole: bool) -> Option<Vec<String>> {
        let usage = self.usage.as_deref()?;
        let (usage, rest) = usage.split_once(" [-- ").map_or((usage, None), |(usage, rest)| (usage, Some(rest)));
        let is_required = |long: &str| usage.split(' ').any(|word| word == long);
        let mut parts = Vec::new();
        let mut words = usage.split(' ').filter(|word| !word.is_empty() && *word != "[OPTIONS]");
        while let Some(word) = words.next() {
            if word.starts_with("--") {
                // The value of a required option.
                words.next();
                continue;
            }
            let name = without_brackets(word);
            let known = self.arguments.iter().find(|(argument, _)| *argument == name);
            let what = known.map_or(name, |(_, what)| what.clone());
            parts.push(if word.starts_with('[') { format!("[{what}]") } else { what });
        }
        let (required, optional): (Vec<_>, Vec<_>) = self.options.iter().partition(|(long, _)| is_required(long));
        parts.extend(required.into_iter().map(|(_, what)| what.clone()));
        if is_whole || optional.len() <= MANY_OPTIONS {
            parts.extend(optional.into_iter().map(|(_, what)| format!("[{what}]")));
        } else {
            parts.push("[OPTIONS]".to_owned());
        }
        parts.extend(rest.map(|rest| format!("[-- {}", without_brackets(rest) + "...]")));
        Some(parts)
    }
}

/// The entries of a help text's sections, each in one line, with the section's title.
fn entries(text: &str) -> Vec<(&str, String)> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    let mut section = "";
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        match entries.last_mut() {
            _ if trimmed.is_empty() => {}
            _ if indent == 0 => section = line.strip_suffix(':').unwrap_or(""),
            // clap indents an option without a short name by six, and continued text by more.
            Some((_, entry)) if indent > 6 => {
                *entry += "  ";
                *entry += trimmed;
            }
            _ => entries.push((section, trimmed.to_owned())),
        }
    }
    entries
}

/// `a|b` of an entry's `[possible values: a, b]`.
fn values(entry: &str) -> Option<String> {
    let (_, values) = entry.split_once("[possible")?;
    let (values, _) = values.split_once(']')?;
    let (_, values) = values.split_once("values:")?;
    Some(values.split(',').map(str::trim).collect::<Vec<_>>().join("|"))
}

/// `FILE` of `<FILE>`, `[FILE]` or `<FILE>...`.
fn without_brackets(word: &str) -> String {
    word.trim_end_matches(['.', ']']).trim_matches(['<', '>', '[', ']']).to_owned()
}

fn write_wrapped(command: &str, parts: &[String], text: &mut String) {
    let indent = " ".repeat(command.len().min(16));
    let mut line = command.to_owned();
    for part in parts {
        if line.len() + 1 + part.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line.clone_from(&indent);
        }
        line += " ";
        line += part;
    }
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "\
Does something

Usage: p [OPTIONS] --output <OUT> <IN>
       p <COMMAND>

Commands:
  check  Look at it
  help   Print this message or the help of the given subcommand(s)

Arguments:
  <IN>  The input

Options:
  -o, --output <OUT>     Where it goes
      --socket <PATH>    Where else, in a text that is so long that it is
                         continued - on a second line [default: /run]
      --format <FORMAT>  Form [default: text] [possible
                         values: text, json]
      --symbols          Names
      --some <NAME,...>  Several [possible values: a, b]
  -q, --quiet            Nothing
  -h, --help             Print help
  -V, --version          Print version

Exit status:
  0  all is well
";

    #[test]
    fn a_synopsis_has_all_flags_of_a_help_text() {
        let help = Help::parse(PATCH, &["p"]).expect("it is one of clap's");
        assert_eq!(help.commands, ["check"]);
        let mut text = String::new();
        write_wrapped("p", &help.parts(true).expect("it has a usage"), &mut text);
        assert_eq!(text, "p IN -o OUT [--socket PATH] [--format text|json] [--symbols] [--some a|b,...] [-q]\n");
    }

    #[test]
    fn arguments_keep_their_places_and_choices() {
        let text = "Usage: p rule [OPTIONS] <WHAT> [RATIO] [-- <ARGUMENTS>...]\n\nArguments:\n  <WHAT>   What \
                    [possible values: on, off]\n  [RATIO]  How much\n\nOptions:\n  -h, --help  Print help\n";
        let help = Help::parse(text, &["p", "rule"]).expect("it is one of clap's");
        assert_eq!(help.parts(true).expect("it has a usage"), ["on|off", "[RATIO]", "[-- ARGUMENTS...]"]);
    }

    #[test]
    fn a_command_of_commands_has_no_line() {
        let help = Help::parse("Usage: p rules <COMMAND>\n\nCommands:\n  list  All\n", &["p", "rules"]);
        let help = help.expect("it is one of clap's");
        assert_eq!((help.parts(true), help.commands), (None, vec!["list".to_owned()]));
    }

    #[test]
    fn long_lines_are_continued() {
        let parts: Vec<String> = (0..8).map(|index| format!("[--option-number-{index} VALUE]")).collect();
        let mut text = String::new();
        write_wrapped("p", &parts, &mut text);
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }
}
