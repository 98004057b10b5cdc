//! The little of SVG that a drawing of bars needs. Text is escaped here and nowhere else; nothing
//! refers to anything outside of the file.

use std::fmt::{self, Display, Write};

/// A drawing in the making.
pub struct Svg {
    body: String,
}

/// Where a text stands from its point.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub struct Font {
    /// Height in pixels.
    pub size: f64,
    /// Whether it is bold.
    pub bold: bool,
    /// Its colour.
    pub colour: &'static str,
}

/// A rectangle.
#[derive(Clone, Copy)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Svg {
    /// An empty drawing.
    pub fn new() -> Svg {
        Svg {
            body: String::new(),
        }
    }

    // Writing to a string does not fail, so the results of `writeln!` are dropped below.

    /// A filled rectangle, with a text that shows where the pointer rests.
    pub fn bar(&mut self, area: Area, colour: &str, title: &str) {
        let _ = writeln!(
            self.body,
            "<rect {area} fill=\"{colour}\"><title>{}</title></rect>",
            Escaped(title)
        );
    }

    /// The outline of a rectangle, with a text that shows where the pointer rests on the line.
    pub fn outline(&mut self, area: Area, colour: &str, title: &str) {
        let _ = writeln!(
            self.body,
            "<rect {area} fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\">\
             <title>{}</title></rect>",
            Escaped(title)
        );
    }

    /// A thin line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str) {
        let _ = writeln!(
            self.body,
            "<path d=\"M{} {}L{} {}\" stroke=\"{colour}\"/>",
            Short(from.0),
            Short(from.1),
            Short(to.0),
            Short(to.1)
        );
    }

    /// A line of text; the point is on its base line.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, font: Font, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if font.bold {
            " font-weight=\"600\""
        } else {
            ""
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\"{anchor} font-size=\"{}\"{weight} fill=\"{}\">{}</text>",
            Short(at.0),
            Short(at.1),
            Short(font.size),
            font.colour,
            Escaped(text)
        );
    }

    /// The file, on white paper of this size in pixels.
    pub fn finish(self, width: f64, height: f64, title: &str) -> String {
        let (width, height) = (Short(width), Short(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n<title>{}</title>\n\
             <style>text {{ paint-order: stroke; stroke: #fff; stroke-width: 4px }}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            Escaped(title),
            self.body
        )
    }
}

impl Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            Short(self.x),
            Short(self.y),
            Short(self.width),
            Short(self.height)
        )
    }
}

/// A coordinate with as many digits as an eye can tell apart.
struct Short(f64);

impl Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.0);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Text with nothing in it that XML would take for markup, or not take at all.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                control if control.is_control() => f.write_str("\u{fffd}")?,
                '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_is_markup() {
        let text = Escaped("a<b>&\"c\"\u{0}\n").to_string();
        assert_eq!(text, "a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}\u{fffd}");
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!(Short(10.0).to_string(), "10");
        assert_eq!(Short(0.126).to_string(), "0.13");
        assert_eq!(Short(0.5).to_string(), "0.5");
        assert_eq!(Short(0.0).to_string(), "0");
    }
}
