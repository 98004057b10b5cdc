//! SIMD (being written).
use super::FunctionTranslator;
use crate::error::Result;
impl FunctionTranslator<'_, '_> {
    pub(super) fn simd(&mut self, _operator: &wasmparser::Operator<'_>) -> Result<bool> {
        Ok(false)
    }
}
