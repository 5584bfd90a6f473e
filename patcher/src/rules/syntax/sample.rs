//! Sampling ratios in rules, such as `0.01` or `1/100`.

use std::borrow::Cow;
use std::fmt;

use gopatch_protocol::manifest::Ratio;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// The ratio of a rule's `sample`.
#[derive(Debug, Clone, Copy)]
pub(in crate::rules) struct Sample(pub(in crate::rules) Ratio);

/// Reads `1/100`.
fn parse(text: &str) -> Option<Ratio> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let (part, whole) = text.split_once('/')?;
    Ratio::new(number(part)? / number(whole)?)
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ratios;
        impl Ratios {
            fn ratio<E: de::Error>(&self, number: f64) -> Result<Sample, E> {
                let wrong = || E::invalid_value(de::Unexpected::Float(number), self);
                Ratio::new(number).map(Sample).ok_or_else(wrong)
            }
        }
        impl Visitor<'_> for Ratios {
            type Value = Sample;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a ratio of more than 0 and at most 1, such as 0.01 or `1/100`")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Sample, E> {
                self.ratio(number)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Sample, E> {
                self.ratio(number as f64)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Sample, E> {
                self.ratio(number as f64)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Sample, E> {
                parse(text).map(Sample).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Ratios)
    }
}

impl JsonSchema for Sample {
    fn schema_name() -> Cow<'static, str> {
        "Sample".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "number", "exclusiveMinimum": 0, "maximum": 1 },
                { "type": "string", "pattern": "^[0-9.]+ */ *[0-9.]+$" },
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_fractions_are_ratios_up_to_1() {
        let sample = |text: &str| serde_yaml_ng::from_str::<Sample>(text);
        for (text, expected) in [("0.1", 0.1), ("1", 1.0), ("1/100", 0.01), ("\"2 / 8\"", 0.25), ("1e-3", 0.001)] {
            assert_eq!(Some(sample(text).expect(text).0), Ratio::new(expected), "{text}");
        }
        for text in ["0", "-0.1", "1.1", "10", "1/0", "2/1", "x", "1/2/3", ".nan", "[0.1]"] {
            assert!(sample(text).expect_err(text).to_string().contains("more than 0 and at most 1"), "{text}");
        }
    }
}
