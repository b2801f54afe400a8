//! The table at the end: each figure's median, and how it stands to what is to be reached.

use std::fmt::{self, Display, Formatter};

/// Differences below this are ties: on a shared machine the same program differs from itself by as much.
const TIE: f64 = 0.07;

/// What is to be reached.
#[derive(Clone, Copy)]
pub enum Limit {
    /// Callboard's own figure is at most this.
    Is(f64),
    /// Callboard's figure is at least this much of bare's.
    AtLeast(f64),
    /// Callboard's figure is at most this much of bare's.
    AtMost(f64),
    /// It is only told.
    None,
}

/// Its rows, in the order in which they were first measured.
#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    name: String,
    unit: &'static str,
    limit: Limit,
    /// Of bare and of Callboard, in each round.
    rounds: Vec<[f64; 2]>,
}

impl Table {
    /// Adds what one round measured: of bare, and of Callboard.
    pub fn add(&mut self, name: &str, unit: &'static str, measured: [f64; 2], limit: Limit) {
        match self.0.iter_mut().find(|row| row.name == name) {
            Some(row) => row.rounds.push(measured),
            None => {
                self.0.push(Row { name: name.to_owned(), unit, limit, rounds: vec![measured] });
            }
        }
    }

    /// Whether all that is to be reached is reached, or tied with.
    pub fn is_within_limits(&self) -> bool {
        self.0.iter().all(|row| row.missed_by() < TIE)
    }
}

impl Row {
    fn median(&self, of: fn(&[f64; 2]) -> f64) -> f64 {
        let mut figures: Vec<_> = self.rounds.iter().map(of).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    }

    fn callboard(&self) -> f64 {
        self.median(|[_, callboard]| *callboard)
    }

    /// The median of the rounds' ratios, which is not the ratio of the medians.
    fn ratio(&self) -> f64 {
        self.median(|[bare, callboard]| callboard / bare)
    }

    /// By how much the limit is missed; zero or less where it is reached.
    fn missed_by(&self) -> f64 {
        match self.limit {
            Limit::Is(most) => self.callboard() / most - 1.0,
            Limit::AtLeast(least) => 1.0 - self.ratio() / least,
            Limit::AtMost(most) => self.ratio() / most - 1.0,
            Limit::None => 0.0,
        }
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let (name, unit) = ("median of the rounds", "");
        writeln!(
            f,
            "{name:<32}{unit:<5}{:>10}{:>11}{:>7}  to reach",
            "bare", "Callboard", "ratio"
        )?;
        self.0.iter().try_for_each(|row| row.fmt(f))
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let (bare, callboard) = (self.median(|[bare, _]| *bare), self.callboard());
        let decimals = usize::from(bare < 1000.0);
        write!(
            f,
            "{:<32}{:<5}{bare:>10.decimals$}{callboard:>11.decimals$}",
            self.name, self.unit
        )?;
        write!(f, "{:>7.2}", self.ratio())?;
        match self.limit {
            Limit::Is(most) => write!(f, "  at most {most} {}", self.unit)?,
            Limit::AtLeast(least) => write!(f, "  ratio at least {least}")?,
            Limit::AtMost(most) => write!(f, "  ratio at most {most}")?,
            Limit::None => {}
        }
        let verdict = match self.missed_by() {
            ..=0.0 => "",
            ..TIE => ": a tie",
            _ => ": MISSED",
        };
        writeln!(f, "{verdict}")
    }
}
