//! Features of CPUs: names, changes of the set, and what the machine that compiles has.

use cranelift_codegen::isa;
use cranelift_codegen::settings;
use precast_format::target::{CpuFeatures, Isa};
use target_lexicon::Triple;

use super::{Target, cpus, nearest};
use crate::error::{CompileError, Result};

impl Target {
    /// Adds and removes features: a comma-separated list of `+name` and `-name`, names as LLVM
    /// spells them.
    ///
    /// # Errors
    ///
    /// When an item has no sign or the architecture has no such feature.
    pub fn change_features(&mut self, list: &str) -> Result<()> {
        for item in list
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let (add, name) = match item.split_at_checked(1) {
                Some(("+", name)) => (true, name),
                Some(("-", name)) => (false, name),
                _ => {
                    return Err(CompileError::options(format!(
                        "CPU feature `{item}` must begin with + or -"
                    )));
                }
            };
            let bit = self.named(&[name])?.0;
            if !add && cpus::always(self.isa).contains(&name) {
                return Err(CompileError::options(format!(
                    "CPU feature `{name}` cannot be removed: all code for {} uses it",
                    self.isa.name()
                )));
            }
            if add {
                self.features.0 |= bit;
            } else {
                self.features.0 &= !bit;
            }
        }
        Ok(())
    }

    /// The set of these names.
    pub(super) fn named(&self, names: &[&str]) -> Result<CpuFeatures> {
        names
            .iter()
            .try_fold(CpuFeatures::default(), |features, name| {
                features.with(self.isa, name).ok_or_else(|| {
                    let known = self.isa.features().iter().copied();
                    CompileError::options(format!(
                        "CPU feature `{name}` is not known for {}{}; it has {}",
                        self.isa.name(),
                        nearest::suggestion(name, known),
                        match self.isa.features().join(", ") {
                            names if names.is_empty() => "none".to_owned(),
                            names => names,
                        }
                    ))
                })
            })
    }

    /// The features of the machine that compiles.
    pub(super) fn native_features(&self) -> Result<CpuFeatures> {
        if Triple::host().architecture != self.triple.architecture {
            return Err(CompileError::options(format!(
                "CPU `native` needs a target of this machine, not `{}`",
                self.triple
            )));
        }
        let mut builder = isa::lookup(self.triple.clone())
            .map_err(|error| CompileError::options(error.to_string()))?;
        cranelift_native::infer_native_flags(&mut builder)
            .map_err(|error| CompileError::options(error.to_string()))?;
        let isa = builder
            .finish(settings::Flags::new(settings::builder()))
            .map_err(|error| CompileError::options(error.to_string()))?;
        let enabled = isa.isa_flags();
        let enabled = enabled.iter().filter(|value| value.as_bool() == Some(true));
        let names = enabled.filter_map(|value| self.feature_of_setting(value.name));
        // There is not a setting for each of those that are always used.
        let base = self.named(cpus::always(self.isa))?;
        Ok(names.fold(base, |features, name| {
            features.with(self.isa, name).unwrap_or(features)
        }))
    }

    /// Our (LLVM's) name of a Cranelift setting, where it is a CPU feature that we record.
    fn feature_of_setting(&self, setting: &str) -> Option<&'static str> {
        self.isa
            .features()
            .iter()
            .copied()
            .find(|name| setting_of(self.isa, name) == setting)
    }
}

/// Cranelift's name for a feature that LLVM and we spell otherwise.
pub(super) fn setting_of(isa: Isa, feature: &str) -> String {
    match (isa, feature) {
        (Isa::X86_64, "cx16") => "has_cmpxchg16b".to_owned(),
        (Isa::X86_64, "bmi") => "has_bmi1".to_owned(),
        (Isa::X86_64, "avxvnni") => "has_avx_vnni".to_owned(),
        (Isa::X86_64, name) => format!("has_{}", name.replace('.', "")),
        (Isa::Aarch64, "bti") => "use_bti".to_owned(),
        (Isa::S390x, "miscellaneous-extensions-3") => "has_mie3".to_owned(),
        (Isa::S390x, "miscellaneous-extensions-4") => "has_mie4".to_owned(),
        (Isa::S390x, "vector-enhancements-2") => "has_vxrs_ext2".to_owned(),
        (Isa::S390x, "vector-enhancements-3") => "has_vxrs_ext3".to_owned(),
        (_, name) => format!("has_{name}"),
    }
}
