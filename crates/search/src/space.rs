use libm::{exp, log};
use std::collections::HashSet;

/// A value of one dimension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Of a [`Domain::Uniform`] or [`Domain::LogUniform`].
    Number(f64),
    /// Of a [`Domain::Integer`] or [`Domain::LogInteger`].
    Integer(i64),
    /// Which of the choices, counted from 0.
    Choice(usize),
}

/// The values that a dimension can take, and how they are spread before anything is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Domain {
    /// Numbers from `low` to `high`, alike.
    Uniform {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// Numbers from `low` to `high`, their logarithms alike: from 1e-4 to 1e-2, half lie below 1e-3.
    LogUniform {
        /// The smallest, above 0.
        low: f64,
        /// The largest.
        high: f64,
    },
    /// Whole numbers from `low` to `high`, both included, alike.
    Integer {
        /// The smallest.
        low: i64,
        /// The largest.
        high: i64,
    },
    /// Whole numbers from `low` to `high`, both included: k as likely as the logarithms of k - 1/2 to k + 1/2 are wide.
    LogInteger {
        /// The smallest, at least 1.
        low: i64,
        /// The largest.
        high: i64,
    },
    /// One of so many things without an order.
    Choice {
        /// How many.
        count: usize,
    },
}

/// A named thing to vary.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// What it is called.
    pub name: String,
    /// What it can be.
    pub domain: Domain,
}

/// Why a space cannot be searched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SpaceError {
    /// Nothing to vary.
    #[error("search space: at least 1 dimension expected, 0 found")]
    Empty,
    /// Two dimensions of one name.
    #[error("{name}: one dimension expected, two found")]
    Twice {
        /// The name.
        name: String,
    },
    /// Ends that hold nothing between them.
    #[error("{name}: {expected} expected, {found} found")]
    Domain {
        /// The dimension.
        name: String,
        /// The rule in words.
        expected: &'static str,
        /// What came.
        found: String,
    },
}

/// Everything that is varied, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    dimensions: Vec<Dimension>,
}

/// Significant figures of a drawn number: what a person would write into a study file. More would be noise.
const FIGURES: usize = 4;

/// Whole numbers beyond this are no longer exact as f64.
const LARGEST_INTEGER: i64 = 1 << 52;

impl Space {
    /// A space of these dimensions, in this order.
    ///
    /// # Errors
    /// No dimension, two of one name, or a domain that holds nothing, by the dimension's name.
    pub fn new(dimensions: Vec<Dimension>) -> Result<Self, SpaceError> {
        if dimensions.is_empty() {
            return Err(SpaceError::Empty);
        }
        let mut names = HashSet::new();
        for dimension in &dimensions {
            if !names.insert(dimension.name.as_str()) {
                return Err(SpaceError::Twice { name: dimension.name.clone() });
            }
            dimension.check()?;
        }
        Ok(Self { dimensions })
    }

    /// The dimensions, in order; a point has a value for each.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// How many points there are; none where a dimension is continuous, or there are more than fit 64 bits.
    pub fn size(&self) -> Option<u64> {
        self.dimensions.iter().try_fold(1u64, |size, dimension| size.checked_mul(dimension.domain.count()?))
    }

    /// Whether a point has a value of the right kind, within its ends, for each dimension.
    pub fn holds(&self, point: &[Value]) -> bool {
        point.len() == self.dimensions.len()
            && point.iter().zip(&self.dimensions).all(|(value, dimension)| dimension.domain.holds(*value))
    }
}

impl Dimension {
    fn check(&self) -> Result<(), SpaceError> {
        let positive_width = |low: f64, high: f64| (high - low).is_finite() && low < high;
        let (good, expected, found) = match self.domain {
            Domain::Uniform { low, high } => {
                (positive_width(low, high), "two numbers, the smaller first,", format!("{low} and {high}"))
            }
            Domain::LogUniform { low, high } => (
                low > 0.0 && positive_width(low, high),
                "two numbers above 0, the smaller first,",
                format!("{low} and {high}"),
            ),
            Domain::Integer { low, high } => (
                -LARGEST_INTEGER <= low && low <= high && high <= LARGEST_INTEGER,
                "two whole numbers, the smaller first,",
                format!("{low} and {high}"),
            ),
            Domain::LogInteger { low, high } => (
                1 <= low && low <= high && high <= LARGEST_INTEGER,
                "two whole numbers above 0, the smaller first,",
                format!("{low} and {high}"),
            ),
            Domain::Choice { count } => (count > 0, "at least one choice", "none".to_owned()),
        };
        if good { Ok(()) } else { Err(SpaceError::Domain { name: self.name.clone(), expected, found }) }
    }
}

impl Domain {
    /// How many values there are; none for a continuous domain.
    pub(crate) fn count(self) -> Option<u64> {
        match self {
            Domain::Uniform { .. } | Domain::LogUniform { .. } => None,
            Domain::Integer { low, high } | Domain::LogInteger { low, high } => Some((high - low) as u64 + 1),
            Domain::Choice { count } => Some(count as u64),
        }
    }

    fn holds(self, value: Value) -> bool {
        match (self, value) {
            (Domain::Uniform { low, high } | Domain::LogUniform { low, high }, Value::Number(number)) => {
                (low..=high).contains(&number)
            }
            (Domain::Integer { low, high } | Domain::LogInteger { low, high }, Value::Integer(integer)) => {
                (low..=high).contains(&integer)
            }
            (Domain::Choice { count }, Value::Choice(choice)) => choice < count,
            _ => false,
        }
    }

    /// The value at a place of the unit interval [0, 1), such that a uniform place has the domain's distribution.
    pub(crate) fn value_at(self, place: f64) -> Value {
        match self {
            Domain::Uniform { low, high } => {
                Value::Number(rounded(low + place * (high - low)).clamp(low, high))
            }
            Domain::LogUniform { low, high } => {
                Value::Number(rounded(exp(log(low) + place * (log(high) - log(low)))).clamp(low, high))
            }
            Domain::Integer { low, high } => {
                let count = (high - low + 1) as f64;
                Value::Integer((low + (place * count).floor() as i64).clamp(low, high))
            }
            Domain::LogInteger { low, high } => {
                let (from, to) = log_ends(low, high);
                Value::Integer((exp(from + place * (to - from)).round() as i64).clamp(low, high))
            }
            Domain::Choice { count } => Value::Choice(((place * count as f64) as usize).min(count - 1)),
        }
    }

    /// The place of a value in [0, 1): the middle of its own for whole numbers and choices.
    ///
    /// # Panics
    /// When the value is of another kind.
    pub(crate) fn place_of(self, value: Value) -> f64 {
        let place = match (self, value) {
            (Domain::Uniform { low, high }, Value::Number(number)) => (number - low) / (high - low),
            (Domain::LogUniform { low, high }, Value::Number(number)) => {
                (log(number) - log(low)) / (log(high) - log(low))
            }
            (Domain::Integer { low, high }, Value::Integer(integer)) => {
                ((integer - low) as f64 + 0.5) / (high - low + 1) as f64
            }
            (Domain::LogInteger { low, high }, Value::Integer(integer)) => {
                let (from, to) = log_ends(low, high);
                (log(integer as f64) - from) / (to - from)
            }
            (Domain::Choice { count }, Value::Choice(choice)) => (choice as f64 + 0.5) / count as f64,
            (domain, value) => panic!("{value:?} is no value of {domain:?}"),
        };
        // 1 itself is outside what the densities are made for.
        place.clamp(0.0, 1.0 - f64::EPSILON)
    }

    /// The `index`-th value of a domain that can be counted.
    pub(crate) fn nth(self, index: u64) -> Value {
        match self {
            Domain::Integer { low, .. } | Domain::LogInteger { low, .. } => {
                Value::Integer(low + index as i64)
            }
            Domain::Choice { .. } => Value::Choice(index as usize),
            Domain::Uniform { .. } | Domain::LogUniform { .. } => {
                panic!("the values of {self:?} cannot be counted")
            }
        }
    }
}

fn log_ends(low: i64, high: i64) -> (f64, f64) {
    (log(low as f64 - 0.5), log(high as f64 + 0.5))
}

fn rounded(number: f64) -> f64 {
    // By way of the decimal digits, so that what is written in a file is exactly what was tried.
    format!("{number:.*e}", FIGURES - 1).parse().expect("a number in its own notation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_figures() {
        assert_eq!(rounded(0.001_234_567), 0.001_235);
        assert_eq!(rounded(-19.999_99), -20.0);
        assert_eq!(rounded(0.0), 0.0);
    }

    /// Of 1 to 10, k owns ln((k + 1/2) / (k - 1/2)) / ln 21 of the interval.
    #[test]
    fn logarithmic_integers_own_their_share() {
        let domain = Domain::LogInteger { low: 1, high: 10 };
        let draws = 210_000;
        let mut counts = [0u32; 11];
        for draw in 0..draws {
            let Value::Integer(value) = domain.value_at((f64::from(draw) + 0.5) / f64::from(draws)) else {
                panic!("an integer is expected");
            };
            counts[value as usize] += 1;
        }
        for k in 1..=10 {
            let k = f64::from(k);
            let expected = ((k + 0.5) / (k - 0.5)).ln() / 21f64.ln() * f64::from(draws);
            assert!((f64::from(counts[k as usize]) - expected).abs() <= 1.0, "{k}: {counts:?} {expected}");
        }
    }

    #[test]
    fn every_value_lies_at_its_own_place() {
        let domains = [
            Domain::Integer { low: -3, high: 9 },
            Domain::LogInteger { low: 2, high: 40 },
            Domain::Choice { count: 5 },
        ];
        for domain in domains {
            for index in 0..domain.count().unwrap() {
                let value = domain.nth(index);
                assert_eq!(domain.value_at(domain.place_of(value)), value, "{domain:?}");
            }
        }
        let rate = Domain::LogUniform { low: 1e-4, high: 1e-2 };
        assert_eq!(rate.value_at(0.5), Value::Number(1e-3));
        assert!((rate.place_of(Value::Number(1e-3)) - 0.5).abs() < 1e-12);
        assert!(rate.place_of(Value::Number(1e-2)) < 1.0);
    }

    #[test]
    fn what_holds_nothing_is_named() {
        let one = |domain| Space::new(vec![Dimension { name: "width".into(), domain }]);
        for domain in [
            Domain::Uniform { low: 1.0, high: 1.0 },
            Domain::Uniform { low: f64::NAN, high: 1.0 },
            Domain::LogUniform { low: 0.0, high: 1.0 },
            Domain::Integer { low: 3, high: 2 },
            Domain::LogInteger { low: 0, high: 2 },
            Domain::Choice { count: 0 },
        ] {
            let error = one(domain).unwrap_err();
            assert!(error.to_string().starts_with("width: "), "{error}");
        }
        assert_eq!(Space::new(vec![]), Err(SpaceError::Empty));
        let width = Dimension { name: "width".into(), domain: Domain::Choice { count: 2 } };
        assert_eq!(Space::new(vec![width.clone(), width]), Err(SpaceError::Twice { name: "width".into() }));
    }

    #[test]
    fn sizes() {
        let space = |domains: &[Domain]| {
            let dimension =
                |(index, domain): (usize, &Domain)| Dimension { name: index.to_string(), domain: *domain };
            Space::new(domains.iter().enumerate().map(dimension).collect()).unwrap().size()
        };
        assert_eq!(space(&[Domain::Choice { count: 3 }, Domain::Integer { low: -1, high: 2 }]), Some(12));
        assert_eq!(space(&[Domain::Choice { count: 3 }, Domain::Uniform { low: 0.0, high: 2.0 }]), None);
        assert_eq!(space(&[Domain::Integer { low: 1, high: LARGEST_INTEGER }; 2]), None);
    }
}
