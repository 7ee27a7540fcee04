//! Which name was probably meant: the one place where words are compared for being alike.
//!
//! How long it takes grows with the product of two lengths and with the number of names that might have been meant. All three
//! are bounded, so that no input makes it long.

/// The longest word that anybody misspells, in bytes; the longest names of CloudFormation's types are shorter.
const LONGEST: usize = 100;

/// How many names are compared.
const MOST_COMPARED: usize = 2_000;

/// The name that a misspelt word was probably meant to be, upper and lower case alike: one letter in four may be wrong, and one
/// more.
pub fn nearest<'c>(word: &str, names: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    nearest_within(word, names, 1 + word.chars().count() / 4)
}

/// The name nearest to a word, of those that no more than `allowed` letters tell from it; the first in the alphabet of equals.
pub fn nearest_within<'c>(word: &str, names: impl IntoIterator<Item = &'c str>, allowed: usize) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = letters(word);
    names
        .into_iter()
        .filter(|name| name.len() <= LONGEST && name.chars().count().abs_diff(word.len()) <= allowed)
        .take(MOST_COMPARED)
        .filter_map(|name| Some((distance(&word, &letters(name), allowed)?, name)))
        .min()
        .map(|(_, name)| name)
}

fn letters(text: &str) -> Vec<char> {
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

/// How many letters must be added, taken out, replaced or swapped with the next one to make a word of another; none when it is
/// more than `most`. Row by row, as the textbooks have it, and only the part of a row that can still matter.
fn distance(one: &[char], other: &[char], most: usize) -> Option<usize> {
    let beyond = most + 1;
    let width = other.len() + 1;
    let mut before: Vec<usize> = vec![beyond; width];
    let mut above: Vec<usize> = (0..width).map(|at| at.min(beyond)).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut here = vec![beyond; width];
        if let Some(first) = here.first_mut() {
            *first = (row + 1).min(beyond);
        }
        let mut least = (row + 1).min(beyond);
        let columns = row.saturating_sub(most)..(row + most + 1).min(other.len());
        for column in columns {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(beyond);
            let same = other.get(column) == Some(letter);
            let mut steps = (cell(&above, column) + usize::from(!same))
                .min(cell(&above, column + 1) + 1)
                .min(cell(&here, column) + 1);
            let swapped =
                row > 0 && column > 0 && one.get(row - 1) == other.get(column) && other.get(column - 1) == Some(letter);
            if swapped {
                steps = steps.min(cell(&before, column - 1) + 1);
            }
            let steps = steps.min(beyond);
            least = least.min(steps);
            if let Some(cell) = here.get_mut(column + 1) {
                *cell = steps;
            }
        }
        if least > most {
            return None;
        }
        before = std::mem::replace(&mut above, here);
    }
    above.last().copied().filter(|steps| *steps <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found() {
        for (word, names, meant) in [
            ("poster", ["posters", "pictures"], Some("posters")),
            ("TIMEOUT", ["Timeout", "Runtime"], Some("Timeout")),
            ("hnadler", ["handler", "header"], Some("handler")),
            ("x", ["timeout", "memory"], None),
            ("", ["a", "abcd"], Some("a")),
            ("größe", ["grösse", "gross"], Some("grösse")),
        ] {
            assert_eq!(nearest(word, names), meant, "{word}");
        }
    }

    /// Against the whole table of the textbooks.
    #[test]
    fn the_distance_is_that_of_the_whole_table() {
        fn whole(one: &[char], other: &[char]) -> usize {
            let mut cells = vec![vec![0; other.len() + 1]; one.len() + 1];
            for row in 0..=one.len() {
                for column in 0..=other.len() {
                    cells[row][column] = match (row, column) {
                        (0, steps) | (steps, 0) => steps,
                        _ => {
                            let same = one[row - 1] == other[column - 1];
                            let steps = (cells[row - 1][column - 1] + usize::from(!same))
                                .min(cells[row - 1][column] + 1)
                                .min(cells[row][column - 1] + 1);
                            let swapped = row > 1
                                && column > 1
                                && one[row - 2] == other[column - 1]
                                && one[row - 1] == other[column - 2];
                            if swapped { steps.min(cells[row - 2][column - 2] + 1) } else { steps }
                        }
                    };
                }
            }
            cells[one.len()][other.len()]
        }
        let words: Vec<Vec<char>> = (0_u32..243)
            .map(|number| (0..5).map(|at| ['a', 'b', 'c'][(number / 3_u32.pow(at) % 3) as usize]).collect())
            .collect();
        for one in &words {
            for other in words.iter().map(|word| &word[..usize::from(word[0] == 'a') + 3]) {
                for most in 0..5 {
                    let steps = whole(one, other);
                    assert_eq!(
                        distance(one, other, most),
                        (steps <= most).then_some(steps),
                        "{one:?} {other:?} {most}"
                    );
                }
            }
        }
    }
}
