//! The deepest path as a drawing: a staircase, one step per frame, to scale.
//!
//! ```text
//!   name, and what is enough
//!   (entry trampoline) |==|
//!   main                  |======|
//!   parse                        |===================|
//!   read                                             |=|
//!                      0                              bytes
//! ```
//!
//! Where there is no bound, the stairs show the way into the cycle, whose steps are of another
//! colour.

use super::model::{Model, Place, Root, kind_name};
use crate::flags::size::count;
use crate::svg::{Anchor, Area, Font, Svg};
use precast_format::stack_depth::StackDepth;

/// Width of the drawing, and of its margin.
const WIDTH: f64 = 960.0;
const MARGIN: f64 = 28.0;

/// Where bars begin, and how long all of them are together.
const BARS: f64 = 260.0;
const LONGEST: f64 = 480.0;

/// Height of a bar, and from one to the next.
const BAR: f64 = 14.0;
const STEP: f64 = 19.0;

/// Longer names are cut.
const NAME: usize = 34;

const INK: &str = "#1f2328";
const FAINT: &str = "#656d76";
const GRID: &str = "#d8dee4";
const OWN: &str = "#3b7dd8";
const ADAPTER: &str = "#9aa4af";
const CYCLE: &str = "#d1603d";

const TITLE: Font = font(20.0, true, INK);
const LABEL: Font = font(13.0, false, INK);
const NAMES: Font = font(12.0, false, INK);
const SMALL: Font = font(11.0, false, FAINT);

const fn font(size: f64, bold: bool, colour: &'static str) -> Font {
    Font { size, bold, colour }
}

/// Draws the path of a root.
pub fn draw(model: &Model, root: Option<&Root>) -> String {
    let mut svg = Svg::new();
    let mut y = MARGIN + 14.0;
    svg.text((MARGIN, y), Anchor::Start, TITLE, &model.name);
    y += 24.0;
    let path = root.map_or_else(Vec::new, |root| model.path(root));
    let subtitle = root.map_or("no function is exported".to_owned(), |it| {
        subtitle(model, it)
    });
    svg.text((MARGIN, y), Anchor::Start, LABEL, &subtitle);
    y += 28.0;
    let sum: u64 = path.iter().map(|place| u64::from(place.frame)).sum();
    let most = path.iter().filter_map(|place| place.total.map(u64::from));
    let most = most.max().unwrap_or(sum).max(1);
    let scale = LONGEST / most as f64;
    let bottom = y + STEP * path.len() as f64;
    let in_cycle = first_of_cycle(&path);
    let mut end = 0;
    for (index, place) in path.iter().enumerate() {
        let total = place.total.map_or(end + u64::from(place.frame), u64::from);
        let start = total.saturating_sub(place.frame.into());
        let colour = match (place.function, in_cycle) {
            (_, Some(first)) if index >= first => CYCLE,
            (Some(function), _) if is_defined(model, function) => OWN,
            _ => ADAPTER,
        };
        let name = name(model, place);
        let frame = format!("{} B", number(place.frame.into()));
        let area = Area {
            x: BARS + start as f64 * scale,
            y: y + (STEP - BAR) / 2.0,
            width: (f64::from(place.frame) * scale).max(1.0),
            height: BAR,
        };
        let base = y + STEP - 6.0;
        svg.line((BARS, y + STEP), (BARS + LONGEST, y + STEP), GRID);
        svg.bar(
            area,
            colour,
            &format!("{name}: {frame}, {} in all", number(total)),
        );
        svg.text((BARS - 10.0, base), Anchor::End, NAMES, &shortened(&name));
        let at = (area.x + area.width + 6.0, base);
        svg.text(at, Anchor::Start, SMALL, &remark(place, frame));
        end = total;
        y += STEP;
    }
    if !path.is_empty() {
        svg.text((BARS, bottom + 18.0), Anchor::Start, SMALL, "0");
        let figure = format!("{} B", number(most));
        let at = (BARS + LONGEST, bottom + 18.0);
        svg.text(at, Anchor::End, SMALL, &figure);
        y += 18.0;
    }
    svg.finish(
        WIDTH,
        y + MARGIN,
        &format!("Native stack of {}", model.name),
    )
}

fn subtitle(model: &Model, root: &Root) -> String {
    let name = root.name();
    match root.depth {
        None => format!("{name} is imported"),
        Some(StackDepth::Bytes { bytes, .. }) => format!(
            "{name}: {} bytes; a stack of {} bytes is enough",
            number(bytes.into()),
            number(root.region.unwrap_or(0))
        ),
        Some(StackDepth::Recursion { function }) => format!(
            "{name}: no bound, {} can be called while it is active",
            model.function_name(function)
        ),
        Some(StackDepth::UnknownCallee { function }) => format!(
            "{name}: no bound, {} calls through a table that can hold functions of others",
            model.function_name(function)
        ),
    }
}

/// Where the cycle begins at which the path ends, if it ends so.
fn first_of_cycle(path: &[Place]) -> Option<usize> {
    let last = path.last().filter(|place| place.again)?;
    path.iter()
        .position(|place| place.function == last.function)
}

fn is_defined(model: &Model, function: u32) -> bool {
    let function = model.functions.get(function as usize);
    function.is_some_and(|function| function.defined.is_some())
}

fn name(model: &Model, place: &Place) -> String {
    let function = place.function.map(|function| model.function_name(function));
    function.unwrap_or("(entry trampoline)").to_owned()
}

fn remark(place: &Place, frame: String) -> String {
    let kind = place.kind.map(kind_name).filter(|name| !name.is_empty());
    match (kind, place.again) {
        (None, false) => frame,
        (Some(kind), false) => format!("{frame}, {kind}"),
        (None, true) => format!("{frame}, again"),
        (Some(kind), true) => format!("{frame}, {kind}, again"),
    }
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

fn number(bytes: u64) -> String {
    count(usize::try_from(bytes).unwrap_or(usize::MAX))
}
