//! The small languages in a rule, each read without knowing the program.
//!
//! - `path`: expressions that lead from a parameter or a result to a value; read with `scanner`,
//!   as are conditions and declarations in the folder above.
//! - `glob`: names with wildcards, also for policies.
//! - `version`: ranges of versions. `constant`: values for `skip`. `sample`: sampling ratios.

pub mod constant;
pub mod glob;
pub mod path;
pub(crate) mod sample;
pub mod scanner;
pub mod version;
