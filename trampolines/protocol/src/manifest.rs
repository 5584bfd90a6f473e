//! The manifest: what a patched file says about itself, a JSON document in the section [`SECTION`].
//!
//! Decides: what gopatchd can know of a site, a record's layout, an operation; what `restore`
//! needs.
//! Trusts: nothing; [`Manifest::parse`] checks every index that a reader would follow.
//! Never does: I/O, or read an ELF file (the caller finds the section).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::recipe::Recipe;

/// Name of the section that holds the manifest.
pub const SECTION: &str = ".gopatch.manifest";

/// Version of the manifest's format. A reader refuses any other.
pub const FORMAT: u32 = 3;

/// The whole manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The tool and its version, as `gopatch 0.1.0`.
    pub tool: String,
    /// The file that was patched.
    pub input: Input,
    /// SHA-256 of the rules' text, in hex.
    pub rules_sha256: String,
    /// With the input and the version of the tool, everything that determines the file; `None` in a
    /// file from a gopatch that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// The emitted code.
    pub code: Code,
    /// Hooked functions; a function's index is its id and its place among the control page's enable
    /// bytes.
    pub functions: Vec<Function>,
    /// Kinds of record; a record refers to its point by index.
    pub points: Vec<Point>,
    /// Places in the text that were overwritten.
    pub sites: Vec<Site>,
    /// Places that rules match and that are not hooked; `None` in a file from a gopatch that did
    /// not record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<Refused>>,
    /// Every other place in the file that was overwritten.
    pub patches: Vec<Patch>,
    /// Bytes at the end of the file that repeat the end of the input: data after its ELF file.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub trailing: u64,
}

/// The emitted code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Address of its first byte.
    pub va: u64,
    /// Offset in the file.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// Bytes from its start to the manifest's id: the first 16 bytes of the SHA-256 of this
    /// document.
    pub id_offset: u64,
    /// SHA-256, in hex, of the code with zeros in place of the id.
    pub sha256: String,
    /// The file's new entry point.
    pub stub: u64,
    /// Address of `runtime.sigpanic0`, to which thunks jump when a goroutine follows nil; `None` if
    /// no displaced instruction follows a pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigpanic: Option<u64>,
}

/// The file that was patched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// SHA-256, in hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Go's version, as `go1.27.4`.
    pub go_version: String,
    /// Path of the main package, if build info has it.
    pub main_package: Option<String>,
    /// Version of the main module, if build info has it.
    pub main_version: Option<String>,
    /// Revision of the sources, if build info has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcs_revision: Option<String>,
    /// Whether the sources differed from that revision.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vcs_modified: bool,
}

/// A hooked function under one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Symbol name, as the runtime spells it.
    pub name: String,
    /// Name of the rule.
    pub rule: String,
    /// What kind of operation a call is.
    pub kind: Kind,
    /// Template of an operation's name; see [`crate::naming`].
    pub operation: String,
    /// First address of the function in the image.
    pub va: u64,
    /// Condition that recorded calls meet, as the rule writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The fraction of these calls that is recorded, by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Ratio>,
    /// Rules of which the nearest call around a call of this function ends with it; of a
    /// [`Kind::End`] only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<String>,
    /// Rules of which the nearest call around a call of this function is no operation, as this is
    /// what it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instead_of: Vec<String>,
    /// Attributes that become dimensions of its operations' metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<String>,
    /// The constants that it returns, as Go spells them, if a rule skips its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<Vec<String>>,
}

/// A ratio above 0 and at most 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "f64", try_from = "f64")]
pub struct Ratio(f64);

// No ratio is a NaN.
impl Eq for Ratio {}

impl Ratio {
    /// `None` unless `ratio` is above 0 and at most 1.
    pub fn new(ratio: f64) -> Option<Self> {
        (ratio > 0.0 && ratio <= 1.0).then_some(Self(ratio))
    }

    /// The bound below which a random number of 32 bits lies with this probability; `None` for 1.
    pub fn bound(self) -> Option<u32> {
        let bound = (self.0 * 2f64.powi(32)).round().max(1.0);
        (bound < 2f64.powi(32)).then_some(bound as u32)
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        ratio.0
    }
}

impl TryFrom<f64> for Ratio {
    type Error = &'static str;

    fn try_from(ratio: f64) -> Result<Self, Self::Error> {
        Self::new(ratio).ok_or("a ratio must be above 0 and at most 1")
    }
}

impl fmt::Display for Ratio {
    /// As a fraction, like `1/10`, or as a decimal number if it is not one over an integer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_of = (1.0 / self.0).round();
        if (one_of * self.0 - 1.0).abs() < 1e-9 { write!(f, "1/{one_of}") } else { self.0.fmt(f) }
    }
}

/// Kinds of operation, after OpenTelemetry's span kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Serves a request from elsewhere.
    Server,
    /// Sends a request elsewhere.
    Client,
    /// Neither.
    Internal,
    /// No operation. Its exit means that every call that began deeper in the same goroutine is
    /// over: those without a recorded exit left by a panic.
    Boundary,
    /// No operation. Its entry is the end of the call around it of a rule in [`Function::ends`], and
    /// has that end's captures.
    End,
    /// No operation and no record: it takes a trace context from one place to another.
    Carrier,
}

/// One kind of record: a function's entry, or its exits (which all write the same record).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Index of the function.
    pub function: u32,
    /// Entry or exit.
    pub at: At,
    /// The values in its record, in the order of the record's words.
    pub captures: Vec<Capture>,
    /// Whether its record ends with the call's trace context ([`crate::wire::context`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context: bool,
}

/// Which end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// After the stack check, before the body.
    Enter,
    /// At a return or a tail jump.
    Exit,
}

/// One value in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Attribute name, as `http.request.method`.
    pub attribute: String,
    /// The type of its word.
    #[serde(rename = "type")]
    pub value: ValueType,
    /// How gopatchd presents it.
    #[serde(default, skip_serializing_if = "Format::is_plain")]
    pub format: Format,
    /// The value that 0 stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_means: Option<i64>,
    /// `zero_means` holds only while this attribute, a boolean, is not true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_means_unless: Option<String>,
    /// The value if no path could be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_means: Option<i64>,
    /// `absent_means` holds only while this attribute, a boolean, is not true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_means_unless: Option<String>,
    /// Whether the attribute is left out if the value is 0, false or empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub omit_zero: bool,
}

/// The type of a capture's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// `i64`.
    Int,
    /// `u64`.
    Uint,
    /// 0 or 1.
    Bool,
    /// `u32` stored length, `u32` full length; the bytes follow the words.
    String,
}

/// How gopatchd turns a captured value into attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Unchanged.
    #[default]
    Plain,
    /// `host:port`: the attribute is the host; the same name with `address` replaced by `port` is
    /// the port.
    HostPort,
    /// `HTTP/1.1` becomes `1.1`, `HTTP/2.0` becomes `2`.
    HttpVersion,
    /// True becomes `https`, false becomes `http`.
    UrlScheme,
    /// A TLS version number: 0x0304 becomes `1.3`.
    TlsVersion,
    /// A TLS cipher suite's number becomes its IANA name.
    TlsCipher,
    /// Bytes become lower-case hex digits.
    Hex,
    /// An HTTP method. One that is not well known becomes `_OTHER`, with the original under the
    /// attribute's name plus `_original`. An empty one means `GET`, as in Go's client.
    HttpMethod,
    /// A pattern of Go's `http.ServeMux`: becomes its path, without method and host. Left out if it
    /// has none.
    HttpRoute,
    /// A number of bytes. A negative one means that it is unknown, and is left out.
    Size,
    /// The path of a URL becomes percent-encoded, as by Go's `url.URL.EscapedPath`.
    UrlPath,
}

impl Format {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }

    /// The name of the second attribute that a value of `attribute` may give.
    pub fn second(self, attribute: &str) -> Option<Cow<'static, str>> {
        Some(match (self, attribute) {
            (Self::HostPort, "server.address") => "server.port".into(),
            (Self::HostPort, "client.address") => "client.port".into(),
            (Self::HostPort, name) if name.contains("address") => name.replace("address", "port").into(),
            (Self::HttpMethod, "http.request.method") => "http.request.method_original".into(),
            (Self::HttpMethod, name) => format!("{name}_original").into(),
            _ => return None,
        })
    }
}

/// A place in the text that was overwritten with a jump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Index of the point whose record is written there; `None` for the runtime's tick, for
    /// instructions that only made room, and for code that replaces a body.
    pub point: Option<u32>,
    /// Address in the image; the program headers map it to an offset in the file.
    pub va: u64,
    /// Address of the thunk.
    pub thunk: u64,
    /// Index of the function whose body this thunk replaces: after it run the hooks of the exits,
    /// and a return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skips: Option<u32>,
    /// Where the jump to the thunk lies, if the site is too short for it: in unreachable bytes of
    /// another site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub island: Option<u64>,
    /// The original bytes, in hex.
    pub original: String,
}

/// A place that a rule matches and that is not hooked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Name of the rule.
    pub rule: String,
    /// Symbol name.
    pub function: String,
    /// Which end of the call.
    pub at: At,
    /// Address in the image.
    pub va: u64,
    /// Code of the refusal, as in reports.
    pub code: String,
}

/// A place outside the text that was overwritten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Offset in the file.
    pub offset: u64,
    /// The original bytes, in hex.
    pub original: String,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not the JSON of a manifest.
    #[error("cannot read the manifest: {0}")]
    Json(#[from] serde_json::Error),
    /// Another format.
    #[error("the manifest has format {0}; this program reads format {FORMAT}")]
    Format(u32),
    /// An index is not in its table.
    #[error("the manifest refers to {what} {index}, but has only {count}")]
    Index {
        /// Which table.
        what: &'static str,
        /// The index.
        index: u32,
        /// The table's length.
        count: usize,
    },
    /// A point has more captures than a record can hold.
    #[error("point {0} in the manifest has more captures than a record can hold")]
    Captures(usize),
}

impl Manifest {
    /// Parses and checks a manifest.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(json)?;
        if manifest.format != FORMAT {
            return Err(ManifestError::Format(manifest.format));
        }
        for (index, point) in manifest.points.iter().enumerate() {
            within("function", point.function, manifest.functions.len())?;
            if point.captures.len() > crate::wire::MAX_CAPTURES {
                return Err(ManifestError::Captures(index));
            }
        }
        for site in &manifest.sites {
            if let Some(point) = site.point {
                within("point", point, manifest.points.len())?;
            }
            if let Some(function) = site.skips {
                within("function", function, manifest.functions.len())?;
            }
        }
        Ok(manifest)
    }

    /// Every overwritten place: its offset in the file, and the original bytes in hex. `offset_of`
    /// maps an address to an offset; the result is `None` if it cannot map that of a site.
    pub fn overwritten(&self, offset_of: impl Fn(u64) -> Option<u64>) -> Option<Vec<(u64, &str)>> {
        let sites = self.sites.iter().map(|site| Some((offset_of(site.va)?, site.original.as_str())));
        let patches = self.patches.iter().map(|patch| Some((patch.offset, patch.original.as_str())));
        sites.chain(patches).collect()
    }
}

/// Bytes in hex, as the manifest writes them.
pub fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that `text` gives in hex; `None` if it is not hex.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn within(what: &'static str, index: u32, count: usize) -> Result<(), ManifestError> {
    if (index as usize) < count { Ok(()) } else { Err(ManifestError::Index { what, index, count }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_has_a_revision_only_if_it_is_known() {
        let known = r#"{"sha256":"","size":1,"go_version":"go1.27.4","main_package":null,"main_version":null"#;
        for rest in ["}", r#","vcs_revision":"0a1b"}"#, r#","vcs_revision":"0a1b","vcs_modified":true}"#] {
            let text = format!("{known}{rest}");
            let input: Input = serde_json::from_str(&text).expect("missing fields have defaults");
            assert_eq!(serde_json::to_string(&input).expect("JSON"), text);
        }
    }

    #[test]
    fn a_ratio_is_above_0_and_at_most_1() {
        for wrong in [0.0, -0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert_eq!(Ratio::new(wrong), None, "{wrong}");
        }
        assert!(serde_json::from_str::<Ratio>("2").is_err());
        let bound = |ratio| Ratio::new(ratio).expect("a ratio").bound();
        assert_eq!([bound(1.0), bound(0.5), bound(1e-12)], [None, Some(1 << 31), Some(1)]);
        let texts = [1.0, 0.1, 1.0 / 3.0, 0.15].map(|ratio| Ratio::new(ratio).expect("a ratio").to_string());
        assert_eq!(texts, ["1/1", "1/10", "1/3", "0.15"]);
    }
}
