//! What is told of a target.

use crate::Outcome;
use crate::failure::Failure;
use precast_compiler::{ALIASES, CompileError, KNOWN, Options, Support, Target, Tested};
use serde_json::{Value, json};

/// A target with its defaults.
pub struct Row {
    /// The triple, or the name of the machine that was asked for.
    pub triple: String,
    /// The defaults.
    pub options: Options,
    /// How code for it was tested, where that is listed.
    pub tested: Option<Tested>,
}

impl Row {
    /// The target that a name means.
    pub fn named(name: &str) -> Result<Row, CompileError> {
        let target = Target::new(name)?;
        let triple = target.triple().to_string();
        let known = KNOWN.iter().find(|known| known.triple == triple);
        Ok(Row {
            triple: target
                .machine()
                .map_or_else(|| triple.clone(), ToString::to_string),
            tested: known.map(|known| known.tested),
            options: Options::new(target),
        })
    }

    /// Every triple that is listed.
    pub fn all() -> Outcome<Vec<Row>> {
        let rows = KNOWN.iter().map(|known| Row::named(known.triple));
        rows.collect::<Result<_, _>>()
            .map_err(|error| Failure::new(error.message))
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.options.target
    }

    /// How code for it was tested, as a phrase.
    pub fn tested(&self) -> String {
        self.tested
            .map_or_else(|| "not listed".to_owned(), Tested::text)
    }

    /// The page to which text and images are aligned, as a phrase.
    pub fn page(&self) -> String {
        match self.options.page_size_log2() {
            0 => "packed".to_owned(),
            log2 => (1_u64 << log2).to_string(),
        }
    }

    /// Shorter names that mean it.
    pub fn aliases(&self) -> impl Iterator<Item = &'static str> {
        let all = ALIASES.iter();
        all.filter(|alias| alias.triple == self.triple)
            .map(|alias| alias.name)
    }

    /// The CPUs, with their features in the order of the instruction set's list.
    pub fn cpus(&self) -> Vec<(&'static str, Vec<&'static str>)> {
        let all = self.target().isa().features();
        let cpus = self.target().cpus();
        let in_order = |features: Vec<&str>| {
            let has = |name: &&&str| features.contains(*name);
            all.iter().filter(has).copied().collect()
        };
        cpus.map(|(name, features)| (name, in_order(features)))
            .collect()
    }

    /// The default CPU's features.
    pub fn default_features(&self) -> Vec<&'static str> {
        let target = self.target();
        target.features().names(target.isa()).collect()
    }

    /// All that is told.
    pub fn json(&self) -> Value {
        let (target, options) = (self.target(), &self.options);
        let support = |support: Support| match support {
            Support::Yes => json!({ "supported": true }),
            Support::WithFeature(feature) => json!({
                "supported": target.has_feature(feature),
                "needs_cpu_feature": feature,
            }),
            Support::No(reason) => json!({ "supported": false, "reason": reason }),
        };
        let cpus = self
            .cpus()
            .into_iter()
            .map(|(name, features)| json!({ "name": name, "features": features }));
        json!({
            "target": self.triple,
            "aliases": self.aliases().collect::<Vec<_>>(),
            "note": target.note(),
            "tested": self.tested(),
            "isa": target.isa().name(),
            "pointer_bits": 8 * target.isa().pointer_width().bytes(),
            "endianness": target.endianness().name(),
            "host_abi": target.host_abi().name(),
            "object_format": target.object_format(),
            "simd": support(target.simd()),
            "threads": support(target.threads()),
            "exceptions": support(Support::Yes),
            "guard_pages": support(target.guard_pages()),
            "cpus": cpus.collect::<Vec<_>>(),
            "cpu_features": target.isa().features(),
            "defaults": {
                "cpu": target.default_cpu(),
                "cpu_features": self.default_features(),
                "bounds_checks": options.bounds_checks.name(),
                "stack_checks": options.stack_checks.name(),
                "traps": options.trap_mode.name(),
                "relocations": options.relocation_model.name(),
                "page_size": 1_u64 << options.page_size_log2(),
            },
        })
    }
}

/// All targets and all shorter names.
pub fn all_json(rows: &[Row]) -> Value {
    let aliases = ALIASES.iter().map(|alias| {
        let target = Target::new(alias.name).ok();
        json!({
            "name": alias.name,
            "target": alias.triple,
            "code": target.as_ref().map(|target| target.triple().to_string()),
            "note": target.and_then(|target| target.note()),
        })
    });
    json!({
        "targets": rows.iter().map(Row::json).collect::<Vec<_>>(),
        "aliases": aliases.collect::<Vec<_>>(),
    })
}
