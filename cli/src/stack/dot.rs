//! The deepest paths of all exports as a graph for Graphviz. Functions without a bound are red, what
//! is outside of the module is grey; dashed edges are calls through a table, dotted ones tail calls.

use super::model::Model;
use crate::flags::size::count;
use precast_format::stack_depth::DepthStep;
use std::collections::BTreeSet;
use std::fmt::Write;

// Writing to a string does not fail, so the results of `writeln!` are dropped below.

/// The graph.
pub fn graph(model: &Model) -> String {
    let mut text = String::from("digraph stack {\n  rankdir = TB;\n");
    text.push_str("  node [shape = box, fontname = \"sans-serif\", fontsize = 10];\n");
    text.push_str("  edge [fontname = \"sans-serif\", fontsize = 9];\n");
    let mut drawn = BTreeSet::new();
    for (index, root) in model.roots.iter().enumerate() {
        let label = match root.region {
            Some(region) => format!("{}\nneeds {} B", root.name(), number(region)),
            None => root.name().to_owned(),
        };
        let _ = writeln!(
            text,
            "  e{index} [shape = cds, label = {}];\n  e{index} -> f{};",
            quoted(&label),
            root.function
        );
        let mut next = Some(root.function);
        while let Some(function) = next.take() {
            if drawn.insert(function) {
                next = node(&mut text, model, function);
            }
        }
    }
    text.push_str("}\n");
    text
}

/// Writes a function and its step; gives where that leads.
fn node(text: &mut String, model: &Model, index: u32) -> Option<u32> {
    let function = model.functions.get(index as usize)?;
    let Some(defined) = &function.defined else {
        let label = format!("{}\nimported", function.name);
        let _ = writeln!(
            text,
            "  f{index} [color = gray, label = {}];",
            quoted(&label)
        );
        return None;
    };
    let frame = number(defined.frame.into());
    let depth = defined.depth.map(|depth| depth.depth);
    let (label, colour) = match depth {
        None => (format!("{}\nframe {frame} B", function.name), "black"),
        Some(Some(depth)) => {
            let depth = number(depth.into());
            let label = format!("{}\nframe {frame} B, depth {depth} B", function.name);
            (label, "black")
        }
        Some(None) => (
            format!("{}\nframe {frame} B, no bound", function.name),
            "red",
        ),
    };
    let _ = writeln!(
        text,
        "  f{index} [color = {colour}, label = {}];",
        quoted(&label)
    );
    match defined.depth?.step {
        DepthStep::End => None,
        DepthStep::Unknown { .. } => {
            let _ = writeln!(
                text,
                "  u{index} [shape = plaintext, label = \"functions of others\"];\n  \
                 f{index} -> u{index} [style = dashed];"
            );
            None
        }
        DepthStep::Call { callee, kind, .. } => {
            let style = match (kind.is_indirect(), kind.is_tail()) {
                (true, _) => " [style = dashed]",
                (false, true) => " [style = dotted]",
                (false, false) => "",
            };
            let _ = writeln!(text, "  f{index} -> f{callee}{style};");
            Some(callee)
        }
    }
}

fn number(bytes: u64) -> String {
    count(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// A text in quotes; line feeds become those of Graphviz.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control.is_control() => quoted.push('\u{fffd}'),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_stay_inside_of_their_quotes() {
        assert_eq!(quoted("a\"b\\\n\t"), "\"a\\\"b\\\\\\n\u{fffd}\"");
    }
}
