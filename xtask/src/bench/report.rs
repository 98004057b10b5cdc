//! The tables of a measurement, in Markdown that also reads well on a terminal.

use super::measure::Usage;
use super::startup::Start;
use std::fmt::Write;
use std::time::Duration;

/// The figures of one program; the vectors have an entry per runtime, Precast first.
pub struct Row {
    /// The program.
    pub name: String,
    /// Median CPU time of a run.
    pub runs: Vec<Duration>,
    /// The same of the native build.
    pub native: Option<Duration>,
    /// Median figures of compilation.
    pub compiles: Vec<Usage>,
    /// Sizes of the compiled files.
    pub sizes: Vec<u64>,
}

/// Renders all tables.
pub fn render(runtimes: &[&str], rows: &[Row], starts: &[Start], runs: usize) -> String {
    let mut text = format!(
        "Median of {runs} runs in turns, user and system time in seconds. Ratios are Precast's time \
         divided by the other's, so less is better; the last line has geometric means. {}.\n\n",
        machine()
    );
    text += &run_table(runtimes, rows).render();
    text += "\nCompilation: wall-clock seconds, CPU seconds, peak memory in MB, and size of the \
             result in KB.\n\n";
    text += &compile_table(runtimes, rows).render();
    text += "\nStart-up: a program that prints a line. Milliseconds of the whole process, and \
             resident memory in KB while the program waits; anonymous memory belongs to no file.\n\n";
    text += &start_table(starts).render();
    text
}

/// The figures in a few lines, for the README: Precast against wasmtime and native code.
pub fn summary(rows: &[Row], starts: &[Start]) -> String {
    let ratios = |figure: &dyn Fn(&Row, usize) -> f64| {
        let ratio = |row: &Row| (figure(row, 0), figure(row, 1));
        let positive = |(ours, other): &(f64, f64)| *ours > 0.0 && *other > 0.0;
        let pairs = rows.iter().map(ratio).filter(positive);
        mean(&pairs.map(|(ours, other)| ours / other).collect::<Vec<_>>())
    };
    let natives: Vec<f64> = rows
        .iter()
        .filter_map(|row| ratio(row.runs[0], row.native?))
        .collect();
    let start = |name: &str, figure: &dyn Fn(&Start) -> String| {
        starts
            .iter()
            .find(|start| start.name == name)
            .map_or("–".into(), figure)
    };
    let wall = |name: &str| start(name, &|start| format!("{:.2}", milliseconds(start.wall)));
    let anonymous = |name: &str| start(name, &|start| (start.anonymous / 1024).to_string());
    let programs = rows.len();
    let mut table = Table::new();
    table.row(["figure", "against wasmtime 48", "against native"].map(String::from));
    for (name, wasmtime, native) in [
        (
            format!("run time of {programs} programs"),
            ratios(&|row, runtime| row.runs[runtime].as_secs_f64()),
            mean(&natives),
        ),
        (
            "compile time".into(),
            ratios(&|row, runtime| row.compiles[runtime].cpu.as_secs_f64()),
            String::new(),
        ),
        (
            "peak memory of the compiler".into(),
            ratios(&|row, runtime| row.compiles[runtime].peak as f64),
            String::new(),
        ),
        (
            "size of the compiled file".into(),
            ratios(&|row, runtime| row.sizes[runtime] as f64),
            String::new(),
        ),
        (
            "hello, whole process".into(),
            format!("{} ms / {} ms", wall("precast"), wall("wasmtime")),
            format!("{} ms / {} ms", wall("precast"), wall("native")),
        ),
        (
            "hello, private memory".into(),
            format!("{} KB / {} KB", anonymous("precast"), anonymous("wasmtime")),
            format!("{} KB / {} KB", anonymous("precast"), anonymous("native")),
        ),
    ] {
        table.row([name, wasmtime, native]);
    }
    table.render()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn run_table(runtimes: &[&str], rows: &[Row]) -> Table {
    let mut table = Table::new();
    let mut head = vec!["program".to_owned()];
    head.extend(runtimes.iter().map(|name| name.to_string()));
    head.push("native".into());
    head.extend(runtimes.iter().skip(1).map(|name| format!("/{name}")));
    head.push("/native".into());
    table.row(head);
    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); runtimes.len()];
    for row in rows {
        let mut cells = vec![row.name.clone()];
        cells.extend(row.runs.iter().map(|time| seconds(*time)));
        cells.push(row.native.map_or("–".into(), seconds));
        let others = row
            .runs
            .iter()
            .skip(1)
            .copied()
            .map(Some)
            .chain([row.native]);
        for (index, other) in others.enumerate() {
            let ratio = other.and_then(|other| ratio(row.runs[0], other));
            ratios[index].extend(ratio);
            cells.push(ratio.map_or("–".into(), |ratio| format!("{ratio:.3}")));
        }
        table.row(cells);
    }
    let mut last = vec!["geometric mean".to_owned()];
    last.extend(vec![String::new(); runtimes.len() + 1]);
    last.extend(ratios.iter().map(|ratios| mean(ratios)));
    table.row(last);
    table
}

fn compile_table(runtimes: &[&str], rows: &[Row]) -> Table {
    let mut table = Table::new();
    let mut head = vec!["program".to_owned()];
    for what in ["wall", "CPU", "peak", "size"] {
        head.extend(runtimes.iter().map(|name| format!("{what} {name}")));
    }
    table.row(head);
    // Ratios of Precast to each runtime, for each of the four figures.
    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); 4 * runtimes.len()];
    for row in rows {
        let mut figures: Vec<(f64, String)> = Vec::new();
        figures.extend(
            row.compiles
                .iter()
                .map(|u| (u.wall.as_secs_f64(), seconds(u.wall))),
        );
        figures.extend(
            row.compiles
                .iter()
                .map(|u| (u.cpu.as_secs_f64(), seconds(u.cpu))),
        );
        figures.extend(
            row.compiles
                .iter()
                .map(|u| (u.peak as f64, (u.peak / 1_000_000).to_string())),
        );
        figures.extend(
            row.sizes
                .iter()
                .map(|size| (*size as f64, (size / 1024).to_string())),
        );
        for (index, (figure, _)) in figures.iter().enumerate() {
            let ours = figures[index / runtimes.len() * runtimes.len()].0;
            if *figure > 0.0 && ours > 0.0 {
                ratios[index].push(ours / figure);
            }
        }
        table.row(
            [row.name.clone()]
                .into_iter()
                .chain(figures.into_iter().map(|(_, text)| text)),
        );
    }
    let last = ratios
        .iter()
        .enumerate()
        .map(|(index, ratios)| match index % runtimes.len() {
            0 => String::new(),
            _ => mean(ratios),
        });
    table.row(
        ["geometric mean of ratios".to_owned()]
            .into_iter()
            .chain(last),
    );
    table
}

fn start_table(starts: &[Start]) -> Table {
    let mut table = Table::new();
    table.row(
        [
            "runtime",
            "wall",
            "CPU",
            "resident",
            "anonymous",
            "file size",
        ]
        .map(String::from),
    );
    for start in starts {
        table.row([
            start.name.clone(),
            format!("{:.2}", milliseconds(start.wall)),
            format!("{:.2}", milliseconds(start.cpu)),
            (start.resident / 1024).to_string(),
            (start.anonymous / 1024).to_string(),
            (start.size / 1024).to_string(),
        ]);
    }
    table
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn ratio(ours: Duration, other: Duration) -> Option<f64> {
    (!ours.is_zero() && !other.is_zero()).then(|| ours.as_secs_f64() / other.as_secs_f64())
}

fn mean(ratios: &[f64]) -> String {
    if ratios.is_empty() {
        return "–".into();
    }
    let logarithms: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    format!("{:.3}", (logarithms / ratios.len() as f64).exp())
}

/// The processor, as the kernel names it.
fn machine() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = information
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let name = name
        .and_then(|line| line.split_once(':'))
        .map_or("unknown", |(_, name)| name.trim());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("Machine: {name}, {threads} threads")
}

/// A Markdown table with aligned columns; the first row is the head.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new() -> Table {
        Table { rows: Vec::new() }
    }

    /// Appends a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(2)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, width) in widths.iter().enumerate() {
                let cell = row.get(column).map_or("", String::as_str);
                // Names stand left, figures right.
                let _ = match column {
                    0 => write!(text, "| {cell:<width$} "),
                    _ => write!(text, "| {cell:>width$} "),
                };
            }
            text += "|\n";
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let colon = if column == 0 { "-" } else { ":" };
                    text += &format!("|{}{colon}", "-".repeat(width + 1));
                }
                text += "|\n";
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align() {
        let mut table = Table::new();
        table.row(["name", "x"].map(String::from));
        table.row(["a", "10.5"].map(String::from));
        assert_eq!(
            table.render(),
            "| name |    x |\n|------|-----:|\n| a    | 10.5 |\n"
        );
    }

    #[test]
    fn the_mean_is_geometric() {
        assert_eq!(mean(&[0.5, 2.0]), "1.000");
        assert_eq!(mean(&[]), "–");
    }
}
