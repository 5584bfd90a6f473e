//! Switching rules in running processes.
//!
//! Decides: what a switch does to the functions of a rule, now and in processes that attach later.
//! Trusts: nothing. There may be no process that has the rule.

use std::collections::BTreeMap;

use gopatch_protocol::manifest::Ratio;
use serde::{Deserialize, Serialize};

/// What to do with a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switch {
    pub(crate) rule: String,
    pub(crate) setting: Setting,
    /// In this process only; otherwise in all, and in those that attach later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
}

/// A rule's new setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Setting {
    /// The hooks of the rule record.
    Enable,
    /// The hooks of the rule do nothing.
    Disable,
    /// This part of the recorded calls becomes operations.
    Sample(Ratio),
}

/// What a switch has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Switched {
    /// Processes that have the rule.
    pub(crate) processes: usize,
    /// Functions in them that were switched.
    pub(crate) functions: usize,
}

/// How a rule is set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleState {
    pub(crate) enabled: bool,
    /// The part of the recorded calls that becomes operations.
    pub(crate) sample: Option<Ratio>,
}

/// The settings of all rules that were ever switched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switches(BTreeMap<String, RuleState>);

impl Default for RuleState {
    fn default() -> Self {
        Self { enabled: true, sample: None }
    }
}

impl RuleState {
    /// Applies a setting.
    pub(crate) fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Enable => self.enabled = true,
            Setting::Disable => self.enabled = false,
            Setting::Sample(ratio) => self.sample = ratio.bound().is_some().then_some(ratio),
        }
    }
}

impl Switches {
    /// Remembers a switch.
    pub(crate) fn set(&mut self, rule: &str, setting: Setting) {
        self.0.entry(rule.to_owned()).or_default().set(setting);
    }

    /// How a rule is set.
    pub(crate) fn state(&self, rule: &str) -> RuleState {
        self.0.get(rule).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_on_until_it_is_switched() {
        let mut switches = Switches::default();
        assert_eq!(switches.state("a"), RuleState { enabled: true, sample: None });
        switches.set("a", Setting::Disable);
        switches.set("a", Setting::Sample(Ratio::new(0.5).expect("a part")));
        assert_eq!(switches.state("a"), RuleState { enabled: false, sample: Ratio::new(0.5) });
        switches.set("a", Setting::Enable);
        switches.set("a", Setting::Sample(Ratio::new(1.0).expect("a part")));
        assert_eq!(switches.state("a"), RuleState { enabled: true, sample: None });
        assert_eq!(switches.state("b"), RuleState::default());
    }

    #[test]
    fn a_switch_survives_json() {
        let text = r#"{"rule":"http.server","setting":{"sample":0.1},"pid":7}"#;
        let switch: Switch = serde_json::from_str(text).expect("a switch");
        assert_eq!(serde_json::to_string(&switch).expect("JSON"), text);
        for bad in [r#"{"rule":"a","setting":{"sample":0}}"#, r#"{"rule":"a","setting":"off"}"#, r#"{"rule":"a"}"#] {
            assert!(serde_json::from_str::<Switch>(bad).is_err(), "{bad}");
        }
    }
}
