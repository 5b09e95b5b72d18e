use crate::{Domain, Space, Trial, Value};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{HashSet, VecDeque};
use tpe::{
    TpeOptimizer, TpeOptimizerBuilder, categorical_range, density_estimation::DefaultEstimatorBuilder,
    histogram_estimator, parzen_estimator, range,
};

/// How the next point is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// Each dimension at random.
    Random,
    /// The tree-structured Parzen estimator: each dimension by itself, at random for the first `STARTUP` trials, then where
    /// good trials are dense and others are not.
    ///
    /// With l the density of the best ⌈γn⌉ of n trials in a dimension and g that of the others, 24 values are drawn from l
    /// and the one of the largest l/g is taken, which is the one of the largest expected improvement.
    ///
    /// Source: Bergstra et al. 2011, "Algorithms for hyper-parameter optimization", NeurIPS 24, section 4.
    Tpe,
}

/// Trials at random before the first density: as many as a split at [`GAMMA`] needs to have two on its good side.
const STARTUP: usize = 10;

/// The share of the trials that counts as good.
///
/// Measured on the quadratic of `tests/convergence.rs`, 100 seeds, the geometric mean of the regret after 50 trials: 0.056 by
/// lot; 0.015 with 0.1, 0.013 with 0.15, 0.014 with 0.2, 0.021 with 0.25. 64 candidates in place of 24 made no clear difference (0.014).
const GAMMA: f64 = 0.15;

/// Values drawn from the density of the good ones: the paper's number.
const CANDIDATES: usize = 24;

/// How often a point that was tried already is drawn anew, by the model, and as often again at random.
const ATTEMPTS: u64 = 64;

/// Trials that a density is made of, at most: those that count as good among so many stay all, of the others some from the
/// best to the worst. A density of one dimension gains nothing from more, and a search of any length is at the same cost a
/// trial.
const MOST_TOLD: usize = 1000;

/// The trials of a search so far, in their order, kept such that the next costs little more however many there are.
#[derive(Debug, Clone)]
pub struct History {
    space: Space,
    trials: Vec<Trial>,
    /// As by [`crate::ranking`].
    ranked: Vec<usize>,
    /// Points that were given out and whose trials are not known yet, in their order.
    begun: VecDeque<Vec<Value>>,
    /// The points of all of them.
    tried: HashSet<Vec<u64>>,
}

impl History {
    /// The history of these trials.
    ///
    /// # Panics
    /// When a trial's point is not one of the space.
    pub fn of(space: &Space, trials: impl IntoIterator<Item = Trial>) -> Self {
        let mut history = Self {
            space: space.clone(),
            trials: Vec::new(),
            ranked: Vec::new(),
            begun: VecDeque::new(),
            tried: HashSet::new(),
        };
        trials.into_iter().for_each(|trial| history.push(trial));
        history
    }

    /// Says that a trial of this point has begun: the next ones are chosen before anything is known of it but that it is not to be tried
    /// again. So several are made at a time. Its [`History::push`] follows, in the order in which they began.
    ///
    /// # Panics
    /// When it is not a point of the space.
    pub fn begin(&mut self, point: Vec<Value>) {
        assert!(self.space.holds(&point), "every trial is a point of the space");
        self.tried.insert(key(&point));
        self.begun.push_back(point);
    }

    /// Adds a trial.
    ///
    /// # Panics
    /// When its point is not one of the space, or others began before it.
    pub fn push(&mut self, trial: Trial) {
        assert!(self.space.holds(&trial.point), "every trial is a point of the space");
        if let Some(begun) = self.begun.pop_front() {
            assert_eq!(begun, trial.point, "trials are known in the order in which they began");
        }
        // Of equal ones the earlier is the first.
        let rank = self.ranked.partition_point(|other| self.trials[*other].compare(&trial).is_ge());
        self.ranked.insert(rank, self.trials.len());
        self.tried.insert(key(&trial.point));
        self.trials.push(trial);
    }

    /// The trials, in their order.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The next point to try: a function of the space, the trials, the points that were [begun](History::begin), and these arguments alone.
    ///
    /// A point that was tried already is not tried again: the same training would give the same score. None where no point
    /// is left, or where 128 draws gave none that is new.
    ///
    /// The random numbers of a dimension depend on the seed, the trial's number and the dimension's place, so that the first
    /// trials of [`Sampler::Tpe`] are those of [`Sampler::Random`], and two spaces that begin alike are searched alike.
    ///
    /// What was begun counts among the bad ones for [`Sampler::Tpe`], so that those that are made at a time are not all in one place (the
    /// constant liar of Ginsbourger et al. 2010, "Kriging is well-suited to parallelize optimization"). For [`Sampler::Random`] it makes no
    /// difference whether a trial is known or only begun.
    pub fn suggest(&self, sampler: Sampler, seed: u64) -> Option<Vec<Value>> {
        let space = &self.space;
        if space.size().is_some_and(|size| self.tried.len() as u64 >= size) {
            return None;
        }
        let new = |point: &Vec<Value>| !self.tried.contains(&key(point));
        let stream = |dimension: usize, attempt: u64| {
            let mut generator = ChaCha8Rng::seed_from_u64(seed);
            // Room for 2^12 attempts and 2^12 dimensions; the trials have the rest.
            let trial = (self.trials.len() + self.begun.len()) as u64;
            generator.set_stream((trial << 24) | ((dimension as u64) << 12) | attempt);
            generator
        };
        let at_random = |attempt: u64| -> Vec<Value> {
            let draw = |(index, domain): (usize, Domain)| domain.value_at(unit(&mut stream(index, attempt)));
            domains(space).enumerate().map(draw).collect()
        };
        if sampler == Sampler::Tpe && self.trials.len() >= STARTUP {
            let told = self.told();
            let mut models: Vec<Model> =
                domains(space).enumerate().map(|(index, domain)| Model::of(domain, index, &told)).collect();
            let mut by_model = |attempt: u64| -> Vec<Value> {
                let ask = |(index, model): (usize, &mut Model)| model.ask(&mut stream(index, attempt));
                models.iter_mut().enumerate().map(ask).collect()
            };
            if let Some(point) = (0..ATTEMPTS).map(&mut by_model).find(new) {
                return Some(point);
            }
        }
        (0..ATTEMPTS).map(at_random).find(new).or_else(|| first_untried(space, new))
    }

    /// The points that densities are made of, the best first, what was only begun last.
    fn told(&self) -> Vec<&[Value]> {
        let all = self.ranked.len();
        let point = |rank: usize| self.trials[self.ranked[rank]].point.as_slice();
        let begun = self.begun.iter().map(Vec::as_slice);
        if all <= MOST_TOLD {
            return (0..all).map(point).chain(begun).collect();
        }
        let good = (GAMMA * MOST_TOLD as f64).ceil() as usize;
        let others = (0..MOST_TOLD - good).map(|index| good + index * (all - good) / (MOST_TOLD - good));
        (0..good).chain(others).map(point).chain(begun).collect()
    }
}

fn domains(space: &Space) -> impl Iterator<Item = Domain> {
    space.dimensions().iter().map(|dimension| dimension.domain)
}

/// One dimension's densities.
struct Model {
    domain: Domain,
    optimiser: TpeOptimizer<DefaultEstimatorBuilder>,
}

impl Model {
    /// Of a dimension's values among points, the best first.
    fn of(domain: Domain, dimension: usize, points: &[&[Value]]) -> Self {
        let (estimator, range, places): (_, _, fn(Domain, Value) -> f64) = match domain {
            Domain::Choice { count } => {
                (histogram_estimator(), categorical_range(count), |_, value| match value {
                    Value::Choice(choice) => choice as f64,
                    other => panic!("a choice is expected, {other:?} found"),
                })
            }
            _ => (parzen_estimator(), range(0.0, 1.0), Domain::place_of),
        };
        let range = range.expect("a checked domain is not empty");
        let mut optimiser = TpeOptimizerBuilder::new()
            .gamma(GAMMA)
            .candidates(CANDIDATES)
            .build(estimator, range)
            .expect("both constants are in their range");
        for (rank, point) in points.iter().enumerate() {
            // It minimises, and sees nothing but the order.
            optimiser.tell(places(domain, point[dimension]), rank as f64).expect("places lie in the range");
        }
        Self { domain, optimiser }
    }

    /// A value where the best points are dense and the others are not.
    fn ask(&mut self, generator: &mut ChaCha8Rng) -> Value {
        let Ok(place) = self.optimiser.ask(generator);
        match self.domain {
            Domain::Choice { .. } => Value::Choice(place as usize),
            domain => domain.value_at(place),
        }
    }
}

/// The first point in counting order that is new: of a space as small as the trials are many, lots may miss it.
fn first_untried(space: &Space, new: impl Fn(&Vec<Value>) -> bool) -> Option<Vec<Value>> {
    let point = |mut index: u64| -> Vec<Value> {
        let value = |domain: Domain| {
            let count = domain.count().expect("a space that has a size");
            let value = domain.nth(index % count);
            index /= count;
            value
        };
        domains(space).map(value).collect()
    };
    (0..space.size()?).map(point).find(new)
}

/// A multiple of 2⁻⁵³ in [0, 1), each equally likely.
fn unit(generator: &mut ChaCha8Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// The same for the same point alone.
fn key(point: &[Value]) -> Vec<u64> {
    let bits = |value: &Value| match *value {
        Value::Number(number) => number.to_bits(),
        Value::Integer(integer) => integer as u64,
        Value::Choice(choice) => choice as u64,
    };
    point.iter().map(bits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dimension, Score, ranking};

    fn history(count: u64) -> History {
        let domain = Domain::Integer { low: 0, high: 1 << 40 };
        let space = Space::new(vec![Dimension { name: "x".into(), domain }]).expect("a space");
        let trial = |index: u64| {
            // Every value comes some times, so that there are equal ones.
            let score = Score { value: (index * 7919 % 501) as f64, penalty: 0.0 };
            let point = vec![Value::Integer(index.cast_signed())];
            Trial { point, length: 1, scores: vec![score], failed: index % 17 == 3 }
        };
        History::of(&space, (0..count).map(trial))
    }

    #[test]
    fn a_history_is_ranked_as_its_trials_are() {
        for count in [0, 1, 2, 700] {
            let history = history(count);
            assert_eq!(history.ranked, ranking(&history.trials));
        }
    }

    #[test]
    fn what_was_begun_is_not_tried_again_and_counts_as_bad() {
        let mut history = history(20);
        let known = history.clone();
        let points: Vec<_> = (0..6)
            .map(|_| {
                let point = history.suggest(Sampler::Tpe, 1).expect("a new point");
                history.begin(point.clone());
                point
            })
            .collect();
        assert_eq!(known.suggest(Sampler::Tpe, 1).as_ref(), Some(&points[0]));
        let different: HashSet<_> = points.iter().map(|point| key(point)).collect();
        assert_eq!(different.len(), 6);
        assert!(history.told()[20..].iter().zip(&points).all(|(told, point)| told == point));
        // A random search does not ask whether a trial is known or only begun.
        let mut sequence = known.clone();
        let mut begun = known;
        for index in 0..6 {
            let point = sequence.suggest(Sampler::Random, 1).expect("a new point");
            assert_eq!(begun.suggest(Sampler::Random, 1), Some(point.clone()));
            begun.begin(point.clone());
            let score = Score { value: f64::from(index), penalty: 0.0 };
            sequence.push(Trial { point, length: 1, scores: vec![score], failed: false });
        }
    }

    #[test]
    fn of_many_trials_all_good_ones_are_told_and_some_of_the_others() {
        let history = history(5000);
        let told = history.told();
        assert_eq!(told.len(), MOST_TOLD);
        let ranked = ranking(history.trials());
        let place = |rank: usize| history.trials[ranked[rank]].point.as_slice();
        assert!((0..150).all(|rank| told[rank] == place(rank)), "the good ones");
        let ranks: Vec<usize> = told
            .iter()
            .map(|point| {
                ranked.iter().position(|trial| history.trials[*trial].point == **point).expect("a trial")
            })
            .collect();
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "each once, the best first");
        assert!(ranks[150..].windows(2).all(|pair| (5..=6).contains(&(pair[1] - pair[0]))), "evenly");
        assert!(ranks[MOST_TOLD - 1] >= 5000 - 6, "down to the worst");
        let whole = self::history(MOST_TOLD as u64);
        assert_eq!(whole.told().len(), MOST_TOLD);
    }
}
