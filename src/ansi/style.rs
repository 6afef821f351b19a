//! What the parameters of a style escape (SGR) mean. Colors of the larger palettes become the nearest of the sixteen;
//! effects that a log has no use for are read and dropped.

use crate::domain::log_line::{Color, Style};
use vte::Params;

/// Applies one escape to a style.
pub(super) fn apply(style: &mut Style, parameters: &Params) {
    let mut parameters = parameters.iter();
    while let Some(parameter) = parameters.next() {
        match parameter {
            // Colors of the larger palettes come with their values after colons, or as parameters of their own.
            &[target @ (38 | 48 | 58), ref values @ ..] => {
                let color = match values {
                    [] => {
                        let mut next = || parameters.next().and_then(|values| values.first()).copied();
                        match next() {
                            Some(2) => next().zip(next()).zip(next()).map(|((red, green), blue)| [red, green, blue]),
                            Some(5) => next().and_then(palette),
                            Some(_) | None => None,
                        }
                    }
                    [5, index, ..] => palette(*index),
                    [2, red, green, blue] | [2, _, red, green, blue, ..] => Some([*red, *green, *blue]),
                    _ => None,
                };
                match (target, color.map(nearest)) {
                    (38, Some(color)) => style.color = Some(color),
                    (48, Some(color)) => style.background = Some(color),
                    (_, Some(_) | None) => {}
                }
            }
            [4, 0, ..] => style.underline = false,
            [code, ..] => simple(style, *code),
            [] => {}
        }
    }
}

fn simple(style: &mut Style, code: u16) {
    match code {
        0 => *style = Style::default(),
        1 => style.bold = true,
        2 => style.dim = true,
        3 => style.italic = true,
        4 | 21 => style.underline = true,
        7 => style.reverse = true,
        22 => {
            style.bold = false;
            style.dim = false;
        }
        23 => style.italic = false,
        24 => style.underline = false,
        27 => style.reverse = false,
        30..=37 => style.color = numbered(code - 30),
        39 => style.color = None,
        40..=47 => style.background = numbered(code - 40),
        49 => style.background = None,
        90..=97 => style.color = numbered(code - 90 + 8),
        100..=107 => style.background = numbered(code - 100 + 8),
        _ => {}
    }
}

fn numbered(number: u16) -> Option<Color> {
    Color::ALL.get(usize::from(number)).copied()
}

/// The sixteen colors as xterm draws them.
const SIXTEEN: [[u16; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// The color under a number of the palette of 256: the sixteen, a cube of six steps a side, and 24 greys.
fn palette(index: u16) -> Option<[u16; 3]> {
    let step = |value: u16| if value == 0 { 0 } else { 55 + 40 * value };
    match index {
        0..=15 => SIXTEEN.get(usize::from(index)).copied(),
        16..=231 => {
            let cube = index - 16;
            Some([step(cube / 36), step(cube / 6 % 6), step(cube % 6)])
        }
        232..=255 => Some([8 + 10 * (index - 232); 3]),
        256.. => None,
    }
}

/// The one of the sixteen that differs least.
fn nearest(color: [u16; 3]) -> Color {
    let distance = |other: &[u16; 3]| -> u64 {
        color.iter().zip(other).map(|(one, two)| u64::from(one.abs_diff(*two)).pow(2)).sum()
    };
    let nearest = SIXTEEN.iter().zip(Color::ALL).min_by_key(|(other, _)| distance(other));
    nearest.map_or(Color::White, |(_, color)| color)
}
