//! stub
use crate::ab::comparison::Comparison;
pub(super) fn page(_: &Comparison) -> String {
    String::new()
}
