//! A plan as a drawing: a bar per lifetime, made of one piece per category, to scale.
//!
//! ```text
//!   name, and what is enough
//!   everything                  runtime    |=|
//!                               module     |==|
//!                               instance   |====================|
//!                               execution  |
//!   without what dwarfs it      the same four bars, on a scale of their own
//!   legend                      every category that takes something, in bytes
//! ```
//!
//! Linear memory and code are often a hundred times what is left. A logarithmic scale would not do
//! for bars made of pieces, so these two are left out of a second panel where they dwarf the rest.
//! What a run took at most is outlined over the bars, piece by piece.

use super::model::{Model, OfCategory, Source, Usage, of_lifetime};
use crate::flags::memory::Allocation;
use crate::flags::size;
use crate::svg::{Anchor, Area, Font, Svg};
use precast_loader::{Category, Lifetime};

/// Width of the drawing, and of its margin.
const WIDTH: f64 = 960.0;
const MARGIN: f64 = 28.0;

/// Where bars begin, and how long the longest is. What is right of that is for figures.
const BARS: f64 = 116.0;
const LONGEST: f64 = 590.0;

/// Height of a bar, and from one to the next.
const BAR: f64 = 22.0;
const STEP: f64 = 38.0;

/// How far outlines stand out above and below.
const OVERHANG: f64 = 4.0;

/// Height of a line of the legend.
const LINE: f64 = 20.0;

const INK: &str = "#1f2328";
const FAINT: &str = "#656d76";
const GRID: &str = "#d8dee4";

const TITLE: Font = font(20.0, true, INK);
const HEADING: Font = font(14.0, true, INK);
const LABEL: Font = font(13.0, false, INK);
const SMALL: Font = font(11.0, false, FAINT);

const fn font(size: f64, bold: bool, colour: &'static str) -> Font {
    Font { size, bold, colour }
}

/// What dwarfs everything else.
const LARGE: [Category; 2] = [Category::LinearMemory, Category::Code];

/// A part of a bar.
struct Piece {
    category: Category,
    bytes: u64,
}

impl OfCategory for Piece {
    fn category(&self) -> Category {
        self.category
    }
}

/// Draws a plan, and what a run took over it.
pub fn draw(model: &Model, run: Option<&[Usage]>) -> String {
    let plan: Vec<Piece> = pieces(model.rows.iter().map(|row| (row.category, row.bytes)));
    let run: Option<Vec<Piece>> =
        run.map(|usages| pieces(usages.iter().map(|usage| (usage.category, usage.peak))));
    let mut svg = Svg::new();
    let mut y = MARGIN + 14.0;
    svg.text((MARGIN, y), Anchor::Start, TITLE, &model.name);
    y += 24.0;
    svg.text((MARGIN, y), Anchor::Start, LABEL, &subtitle(model));
    if run.is_some() {
        y += 24.0;
        let key = Area {
            x: MARGIN,
            y: y - 11.0,
            width: 22.0,
            height: 13.0,
        };
        svg.outline(key, INK, "a run");
        let at = (MARGIN + 30.0, y);
        svg.text(at, Anchor::Start, LABEL, "what a run took at most");
    }
    y += 34.0;
    let everything = |_: Category| true;
    y = panel(&mut svg, y, "Everything", &plan, run.as_deref(), everything);
    if is_dwarfed(&plan) {
        let heading = "Without linear memory and code";
        let small = |category| !LARGE.contains(&category);
        y = panel(&mut svg, y, heading, &plan, run.as_deref(), small);
    }
    y = legend(&mut svg, y, &plan, run.as_deref());
    let title = format!("Memory of {}", model.name);
    svg.finish(WIDTH, y + MARGIN, &title)
}

fn pieces(figures: impl Iterator<Item = (Category, u64)>) -> Vec<Piece> {
    figures
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(category, bytes)| Piece { category, bytes })
        .collect()
}

fn subtitle(model: &Model) -> String {
    let total = number(model.total());
    match (model.allocation, model.pool) {
        (Allocation::Pool, Some(bytes)) => {
            let pages = match model.bytes_of(Source::Platform) {
                0 => String::new(),
                pages => format!(", {} of them in pages of the platform", number(pages)),
            };
            let bytes = number(bytes);
            format!("{total} bytes in all{pages}; a pool of {bytes} bytes is enough")
        }
        (allocation, _) => format!("{total} bytes in all, --alloc {}", allocation.name()),
    }
}

/// Whether what is small would not be seen beside what is large.
fn is_dwarfed(plan: &[Piece]) -> bool {
    let sum = |large: bool| -> u64 {
        plan.iter()
            .filter(|piece| LARGE.contains(&piece.category) == large)
            .map(|piece| piece.bytes)
            .sum()
    };
    sum(false) > 0 && sum(true) > 4 * sum(false)
}

/// Draws the bars of all lifetimes, without the categories that are not shown. The height so far
/// goes in and comes out.
fn panel(
    svg: &mut Svg,
    mut y: f64,
    heading: &str,
    plan: &[Piece],
    run: Option<&[Piece]>,
    shown: impl Fn(Category) -> bool,
) -> f64 {
    svg.text((MARGIN, y), Anchor::Start, HEADING, heading);
    y += 16.0;
    let most = Lifetime::ALL
        .iter()
        .flat_map(|lifetime| {
            [
                sum(plan, *lifetime, &shown),
                sum(run.unwrap_or_default(), *lifetime, &shown),
            ]
        })
        .max()
        .unwrap_or(0)
        .max(1);
    let scale = LONGEST / most as f64;
    let bottom = y + STEP * Lifetime::ALL.len() as f64;
    axis(svg, y, bottom, most, scale);
    for lifetime in Lifetime::ALL {
        let top = y + (STEP - BAR) / 2.0;
        let base = top + BAR - 6.0;
        svg.text((BARS - 10.0, base), Anchor::End, LABEL, lifetime.name());
        let mut end = stack(plan, *lifetime, &shown, scale, |piece, x, width| {
            let area = Area {
                x,
                y: top,
                width,
                height: BAR,
            };
            svg.bar(area, colour(piece.category), &title("", piece));
        });
        let mut figures = rounded(sum(plan, *lifetime, &shown));
        if let Some(run) = run {
            let reached = stack(run, *lifetime, &shown, scale, |piece, x, width| {
                let (y, height) = (top - OVERHANG, BAR + 2.0 * OVERHANG);
                let area = Area {
                    x,
                    y,
                    width,
                    height,
                };
                svg.outline(area, INK, &title("run: ", piece));
            });
            end = end.max(reached);
            figures = format!("{figures} · run {}", rounded(sum(run, *lifetime, &shown)));
        }
        svg.text((end + 9.0, base), Anchor::Start, LABEL, &figures);
        y += STEP;
    }
    bottom + 52.0
}

fn title(before: &str, piece: &Piece) -> String {
    let bytes = number(piece.bytes);
    format!("{before}{}, {bytes} bytes", piece.category.name())
}

/// Places the pieces of a lifetime side by side; gives where the last one ends.
fn stack(
    pieces: &[Piece],
    lifetime: Lifetime,
    shown: impl Fn(Category) -> bool,
    scale: f64,
    mut place: impl FnMut(&Piece, f64, f64),
) -> f64 {
    let mut x = BARS;
    for piece in of_lifetime(pieces, lifetime).filter(|piece| shown(piece.category)) {
        let width = piece.bytes as f64 * scale;
        place(piece, x, width);
        x += width;
    }
    x
}

fn sum(pieces: &[Piece], lifetime: Lifetime, shown: impl Fn(Category) -> bool) -> u64 {
    of_lifetime(pieces, lifetime)
        .filter(|piece| shown(piece.category))
        .map(|piece| piece.bytes)
        .sum()
}

/// Lines at round numbers of bytes, with the numbers below.
fn axis(svg: &mut Svg, top: f64, bottom: f64, most: u64, scale: f64) {
    // Powers of two are what sizes of memory are round in; at most seven lines.
    let step = most.div_ceil(6).next_power_of_two();
    let mut bytes = 0;
    while bytes <= most {
        let x = BARS + bytes as f64 * scale;
        svg.line((x, top), (x, bottom), GRID);
        svg.text(
            (x, bottom + 15.0),
            Anchor::Middle,
            SMALL,
            &round(bytes, step),
        );
        bytes += step;
    }
}

/// A number of bytes, in the unit in which steps of this size are round.
fn round(bytes: u64, step: u64) -> String {
    if bytes == 0 {
        return "0".to_owned();
    }
    const UNITS: [(u32, &str); 3] = [(30, " GB"), (20, " MB"), (10, " KB")];
    let unit = UNITS.into_iter().find(|(shift, _)| step >= 1 << shift);
    let (shift, unit) = unit.unwrap_or((0, " B"));
    format!("{}{unit}", number(bytes >> shift))
}

/// Lists every category that takes something, in two columns of lifetimes.
fn legend(svg: &mut Svg, y: f64, plan: &[Piece], run: Option<&[Piece]>) -> f64 {
    let width = (WIDTH - 3.0 * MARGIN) / 2.0;
    let columns = [
        [Lifetime::Runtime, Lifetime::Module],
        [Lifetime::Instance, Lifetime::Execution],
    ];
    let mut bottom = y;
    for (column, lifetimes) in columns.into_iter().enumerate() {
        let left = MARGIN + column as f64 * (width + MARGIN);
        let mut at = y;
        for lifetime in lifetimes {
            let entries = entries(plan, run, lifetime);
            if entries.is_empty() {
                continue;
            }
            at = legend_of(svg, (left, at), width, lifetime, &entries, run.is_some());
        }
        bottom = bottom.max(at);
    }
    bottom - LINE
}

/// A category with its bytes in the plan and in the run.
type Entry = (Category, u64, u64);

/// The categories of a lifetime that take something in plan or run.
fn entries(plan: &[Piece], run: Option<&[Piece]>, lifetime: Lifetime) -> Vec<Entry> {
    let bytes = |pieces: &[Piece], category| {
        let mut pieces = pieces.iter();
        let piece = pieces.find(|piece| piece.category == category);
        piece.map_or(0, |piece| piece.bytes)
    };
    Category::ALL
        .iter()
        .filter(|category| category.lifetime() == lifetime)
        .map(|category| {
            let run = bytes(run.unwrap_or_default(), *category);
            (*category, bytes(plan, *category), run)
        })
        .filter(|(_, plan, run)| plan + run > 0)
        .collect()
}

fn legend_of(
    svg: &mut Svg,
    (left, mut y): (f64, f64),
    width: f64,
    lifetime: Lifetime,
    entries: &[Entry],
    has_run: bool,
) -> f64 {
    let right = left + width;
    let plan_column = if has_run { right - 104.0 } else { right };
    svg.text((left, y), Anchor::Start, HEADING, lifetime.name());
    svg.text((plan_column, y), Anchor::End, SMALL, "bytes");
    if has_run {
        svg.text((right, y), Anchor::End, SMALL, "run at most");
    }
    svg.line((left, y + 6.0), (right, y + 6.0), GRID);
    y += 4.0;
    for (category, plan, run) in entries {
        y += LINE;
        let swatch = Area {
            x: left,
            y: y - 11.0,
            width: 13.0,
            height: 13.0,
        };
        svg.bar(swatch, colour(*category), category.name());
        svg.text((left + 21.0, y), Anchor::Start, LABEL, category.name());
        svg.text((plan_column, y), Anchor::End, LABEL, &number(*plan));
        if has_run {
            svg.text((right, y), Anchor::End, LABEL, &number(*run));
        }
    }
    y + 1.8 * LINE
}

/// The colour of a category: neighbours in a bar differ in hue and in lightness.
fn colour(category: Category) -> &'static str {
    match category {
        Category::Runtime => "#2f5d8a",
        Category::HostFunctions => "#8fb8de",
        Category::Types => "#17becf",
        Category::Threads => "#c3d7ea",
        Category::Artifact => "#b5cf6b",
        Category::Module => "#3f7f3a",
        Category::Code => "#8cc98a",
        Category::TrapTables => "#cfe8c6",
        Category::Instance => "#8a4f00",
        Category::Context => "#f0a04b",
        Category::Tables => "#d6453d",
        Category::LinearMemory => "#f7d38c",
        Category::AppHeap => "#b07aa1",
        Category::Wasi => "#6b4c9a",
        Category::WasiNn => "#d4b9e4",
        Category::Exceptions => "#1b7f79",
        Category::CallStack => "#7f4f5f",
        Category::Arguments => "#e377a2",
        Category::SignalStack => "#f3c1d3",
        Category::Backtrace => "#a9788a",
        _ => "#8c959f",
    }
}

/// A number beside a bar: exact, unless that is too long. The legend has all digits.
fn rounded(bytes: u64) -> String {
    match bytes {
        0..10_000_000 => number(bytes),
        _ => size::show(bytes),
    }
}

/// A number with its thousands apart.
fn number(number: u64) -> String {
    size::count(usize::try_from(number).unwrap_or(usize::MAX))
}
