//! Colour and symbols, decided once: nothing else asks whether it writes to a terminal.

use anstyle::{AnsiColor, Style};

/// The styles every report uses; all plain when colour is off, so the text reads the same without it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Styles {
    /// Errors and removals.
    pub bad: Style,
    /// Warnings and replacements.
    pub warn: Style,
    /// Success and additions.
    pub good: Style,
    /// Changes in place, links between things.
    pub info: Style,
    /// Less important text.
    pub dim: Style,
    /// Headings and names.
    pub strong: Style,
}

impl Styles {
    /// Coloured styles, or plain ones.
    pub fn new(colour: bool) -> Self {
        if !colour {
            return Self::default();
        }
        let of = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        Self {
            bad: of(AnsiColor::Red).bold(),
            warn: of(AnsiColor::Yellow).bold(),
            good: of(AnsiColor::Green).bold(),
            info: of(AnsiColor::Cyan),
            dim: Style::new().dimmed(),
            strong: Style::new().bold(),
        }
    }
}

/// `text` in `style`.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A duration as a person reads it: `0.4s`, `12s`, `3m05s`.
pub fn duration(elapsed: std::time::Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..10 => format!("{:.1}s", elapsed.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A size as a person reads it: `812 B`, `2.1 KiB`, `13.4 MiB`.
pub fn bytes(size: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    // A size is shown to one decimal, so what `f64` cannot hold of it does not matter.
    #[expect(clippy::cast_precision_loss, reason = "shown to one decimal")]
    let of = |unit: u64| size as f64 / unit as f64;
    match size {
        0..KIB => format!("{size} B"),
        KIB..MIB => format!("{:.1} KiB", of(KIB)),
        _ => format!("{:.1} MiB", of(MIB)),
    }
}

/// `1 error`, `2 errors`.
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn durations_read_like_a_clock() {
        let said = [412, 9_940, 12_000, 65_000, 3_725_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(said, ["0.4s", "9.9s", "12s", "1m05s", "1h02m"]);
    }

    #[test]
    fn plain_styles_leave_the_text_alone() {
        assert_eq!(paint(Styles::new(false).bad, "x"), "x");
        assert_ne!(paint(Styles::new(true).bad, "x"), "x");
    }
}
