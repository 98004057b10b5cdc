//! Every module that a script can come to compile, without running it.

use super::script::encode;
use wast::{QuoteWat, WastDirective, WastExecute};

/// A module of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptModule {
    /// The binary form.
    pub wasm: Vec<u8>,
    /// Whether the script says that it must be refused.
    pub called_invalid: bool,
}

/// The modules of directives, those of threads included. What has no binary form is left out: a run
/// finds that out by itself.
pub fn of(directives: Vec<WastDirective<'_>>) -> Vec<ScriptModule> {
    let mut modules = Vec::new();
    collect(directives, &mut modules);
    modules
}

fn collect(directives: Vec<WastDirective<'_>>, modules: &mut Vec<ScriptModule>) {
    use WastDirective as Directive;
    for directive in directives {
        let (module, called_invalid) = match directive {
            Directive::Module(module) | Directive::ModuleDefinition(module) => (module, false),
            Directive::AssertUnlinkable { module, .. } => (QuoteWat::Wat(module), false),
            Directive::AssertMalformed { module, .. }
            | Directive::AssertInvalid { module, .. }
            | Directive::AssertMalformedCustom { module, .. }
            | Directive::AssertInvalidCustom { module, .. } => (module, true),
            Directive::AssertReturn {
                exec: WastExecute::Wat(module),
                ..
            }
            | Directive::AssertTrap {
                exec: WastExecute::Wat(module),
                ..
            }
            | Directive::AssertException {
                exec: WastExecute::Wat(module),
                ..
            }
            | Directive::AssertSuspension {
                exec: WastExecute::Wat(module),
                ..
            } => (QuoteWat::Wat(module), false),
            Directive::Thread(thread) => {
                collect(thread.directives, modules);
                continue;
            }
            _ => continue,
        };
        let mut module = module;
        if let Ok(wasm) = encode(&mut module) {
            modules.push(ScriptModule {
                wasm,
                called_invalid,
            });
        }
    }
}
