//! The stand-in for image models: a poster that shows its prompt, a PNG that is the same for the same prompt and seed.

use font8x8::UnicodeFonts as _;

/// A picture of three bytes a point.
struct Canvas {
    width: usize,
    height: usize,
    points: Vec<u8>,
}

type Colour = [u8; 3];

/// Pairs that go well together: the sky above, the sky below, hills, sun.
const PALETTES: &[[Colour; 4]] = &[
    [[25, 32, 72], [232, 106, 88], [33, 24, 46], [255, 214, 140]],
    [[8, 60, 88], [120, 200, 190], [10, 38, 50], [255, 240, 200]],
    [[58, 28, 84], [240, 140, 130], [36, 16, 52], [255, 220, 180]],
    [[16, 70, 60], [214, 214, 130], [12, 44, 40], [255, 250, 220]],
    [[90, 30, 40], [250, 180, 110], [48, 18, 30], [255, 236, 190]],
];

/// Draws a prompt as a poster of so many points.
pub(super) fn draw(prompt: &str, seed: u64, width: usize, height: usize) -> Vec<u8> {
    let mut dice = Dice::new(prompt, seed);
    let palette = PALETTES.get(dice.below(PALETTES.len())).copied().unwrap_or([[0; 3], [128; 3], [64; 3], [255; 3]]);
    let [above, below, hills, sun] = palette;
    let mut canvas = Canvas { width, height, points: vec![0; width * height * 3] };
    for y in 0..height {
        let colour = mixed(above, below, y, height);
        for x in 0..width {
            canvas.set(x, y, colour);
        }
    }
    for _ in 0..40 {
        let (x, y) = (dice.below(width), dice.below(height / 3));
        canvas.set(x, y, [255, 255, 255]);
    }
    let radius = width / 7 + dice.below(width / 10 + 1);
    let (cx, cy) = (width / 4 + dice.below(width / 2), height * 2 / 5 + dice.below(height / 8));
    canvas.disc(cx, cy, radius, sun);
    for layer in 0..3_usize {
        let colour = mixed(below, hills, layer + 1, 3);
        let base = height * (11 + layer) / 18;
        let (wave, lift, shift) =
            (width / (2 + dice.below(3)), height / 16 + dice.below(height / 16), dice.below(width));
        for x in 0..width {
            let phase = (x + shift) % (2 * wave.max(1));
            let rise = if phase < wave { phase } else { 2 * wave - phase };
            let top = base.saturating_sub(rise * lift / wave.max(1));
            for y in top..height {
                canvas.set(x, y, colour);
            }
        }
    }
    let frame = width / 40;
    for y in 0..height {
        for x in 0..width {
            if x < frame || y < frame || x >= width - frame || y >= height - frame {
                canvas.set(x, y, [245, 240, 228]);
            }
        }
    }
    title(&mut canvas, prompt, frame);
    png(&canvas)
}

/// The prompt in the lower part, as large as it fits.
fn title(canvas: &mut Canvas, prompt: &str, frame: usize) {
    let room = (canvas.width - 4 * frame, canvas.height / 4);
    let text: String = prompt.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    for scale in (1..=6_usize).rev() {
        let columns = (room.0 / (8 * scale)).max(1);
        let lines = wrapped(&text, columns);
        let line_height = 10 * scale;
        if lines.len() * line_height > room.1 && scale > 1 {
            continue;
        }
        let top = canvas.height - 2 * frame - (lines.len() * line_height).min(room.1);
        for (row, line) in lines.iter().enumerate().take((room.1 / line_height).max(1)) {
            let left = (canvas.width - line.chars().count() * 8 * scale) / 2;
            for (at, c) in line.chars().enumerate() {
                let (x, y) = (left + at * 8 * scale, top + row * line_height);
                canvas.letter(c, x + scale / 2 + 1, y + scale / 2 + 1, scale, [0, 0, 0]);
                canvas.letter(c, x, y, scale, [255, 255, 255]);
            }
        }
        return;
    }
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let mut word: String = word.to_owned();
        while word.chars().count() > columns {
            lines.push(word.chars().take(columns).collect());
            word = word.chars().skip(columns).collect();
        }
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn mixed(one: Colour, other: Colour, at: usize, of: usize) -> Colour {
    let part = |a: u8, b: u8| {
        let mixed = (usize::from(a) * (of - at.min(of)) + usize::from(b) * at.min(of)) / of.max(1);
        u8::try_from(mixed).unwrap_or(u8::MAX)
    };
    [part(one[0], other[0]), part(one[1], other[1]), part(one[2], other[2])]
}

impl Canvas {
    fn set(&mut self, x: usize, y: usize, colour: Colour) {
        if x < self.width && y < self.height {
            let at = (y * self.width + x) * 3;
            if let Some(point) = self.points.get_mut(at..at + 3) {
                point.copy_from_slice(&colour);
            }
        }
    }

    fn disc(&mut self, cx: usize, cy: usize, radius: usize, colour: Colour) {
        for y in cy.saturating_sub(radius)..=cy + radius {
            for x in cx.saturating_sub(radius)..=cx + radius {
                if x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) <= radius.pow(2) {
                    self.set(x, y, colour);
                }
            }
        }
    }

    fn letter(&mut self, c: char, left: usize, top: usize, scale: usize, colour: Colour) {
        let glyph = font8x8::BASIC_FONTS
            .get(c)
            .or_else(|| font8x8::LATIN_FONTS.get(c))
            .or_else(|| font8x8::GREEK_FONTS.get(c))
            .or_else(|| font8x8::BASIC_FONTS.get('?'))
            .unwrap_or_default();
        for (row, bits) in glyph.iter().enumerate() {
            for column in (0..8_usize).filter(|column| bits & (1 << column) != 0) {
                for y in 0..scale {
                    for x in 0..scale {
                        self.set(left + column * scale + x, top + row * scale + y, colour);
                    }
                }
            }
        }
    }
}

/// Numbers that follow from a prompt and a seed.
struct Dice(u64);

impl Dice {
    fn new(prompt: &str, seed: u64) -> Self {
        let mut state = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in prompt.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(state)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % (end.max(1) as u64)).unwrap_or(0)
    }
}

/// A picture as PNG, compressed quickly: a poster is drawn more often than it is sent far.
fn png(canvas: &Canvas) -> Vec<u8> {
    let mut out = Vec::new();
    let side = |points: usize| u32::try_from(points).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut out, side(canvas.width), side(canvas.height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    // Writing into memory does not fail.
    let _ = encoder.write_header().and_then(|mut writer| writer.write_image_data(&canvas.points));
    out
}

/// Width and height of an aspect ratio, in points.
pub(super) fn size(aspect_ratio: &str) -> Option<(usize, usize)> {
    Some(match aspect_ratio {
        "16:9" => (912, 512),
        "1:1" => (640, 640),
        "21:9" => (1024, 440),
        "2:3" => (512, 768),
        "3:2" => (768, 512),
        "4:5" => (576, 720),
        "5:4" => (720, 576),
        "9:16" => (512, 912),
        "9:21" => (440, 1024),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poster_is_a_png_of_its_size_and_always_the_same() {
        let one = draw("a dog at sunset", 0, 512, 768);
        assert!(one.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_eq!(one[16..24], [0, 0, 2, 0, 0, 0, 3, 0]);
        assert_eq!(one, draw("a dog at sunset", 0, 512, 768));
        assert_ne!(one, draw("a dog at sunset", 1, 512, 768));
        assert_ne!(one, draw("a cat at sunset", 0, 512, 768));
    }

    #[test]
    fn long_and_strange_prompts_are_drawn() {
        for prompt in ["", "Ünïcødé 日本語 🎬", &"x".repeat(2000), &"word ".repeat(400)] {
            assert!(draw(prompt, 7, 440, 1024).len() > 1000);
        }
    }

    #[test]
    fn lines_keep_to_their_width() {
        assert_eq!(wrapped("a dog at sunset", 8), ["a dog at", "sunset"]);
        assert_eq!(wrapped("incomprehensible", 6), ["incomp", "rehens", "ible"]);
    }
}
