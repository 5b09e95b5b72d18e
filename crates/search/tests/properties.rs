//! What must hold for any space, any scores and any seed.

use proptest::prelude::*;
use search::*;

fn domain() -> impl Strategy<Value = Domain> {
    prop_oneof![
        (-5.0..5.0f64, 1e-3..10.0f64).prop_map(|(low, width)| Domain::Uniform { low, high: low + width }),
        (1e-6..1.0f64, 1.01..1e4f64).prop_map(|(low, ratio)| Domain::LogUniform { low, high: low * ratio }),
        (-9i64..9, 0i64..40).prop_map(|(low, width)| Domain::Integer { low, high: low + width }),
        (1i64..9, 0i64..300).prop_map(|(low, width)| Domain::LogInteger { low, high: low + width }),
        (1usize..6).prop_map(|count| Domain::Choice { count }),
    ]
}

fn space() -> impl Strategy<Value = Space> {
    prop::collection::vec(domain(), 1..5).prop_map(|domains| {
        let dimension = |(index, domain)| Dimension { name: format!("d{index}"), domain };
        Space::new(domains.into_iter().enumerate().map(dimension).collect()).unwrap()
    })
}

fn sampler() -> impl Strategy<Value = Sampler> {
    prop_oneof![Just(Sampler::Random), Just(Sampler::Tpe)]
}

/// A trial's scores and whether it failed: a function of the point, as a training is.
fn tried(point: Vec<Value>, length: u64, before: &[Trial]) -> Trial {
    let sum: f64 = point
        .iter()
        .map(|value| match *value {
            Value::Number(number) => number,
            Value::Integer(integer) => integer as f64,
            Value::Choice(choice) => choice as f64,
        })
        .sum();
    let failed = (sum * 1000.0) as i64 % 11 == 7;
    let mut scores = Vec::new();
    for epoch in 1..=length {
        scores.push(Score { value: (sum * epoch as f64).sin(), penalty: sum.cos() });
        if !Halving::default().goes_on(before, length, &scores) {
            break;
        }
    }
    Trial { point, length, scores, failed }
}

fn search(space: &Space, sampler: Sampler, seed: u64, mut trials: Vec<Trial>, count: usize) -> Vec<Trial> {
    while trials.len() < count {
        let Some(point) = History::of(space, trials.clone()).suggest(sampler, seed) else { break };
        let trial = tried(point, 5, &trials);
        trials.push(trial);
    }
    trials
}

proptest! {
    #[test]
    fn points_lie_in_the_space_and_come_once(space in space(), sampler in sampler(), seed in any::<u64>()) {
        let trials = search(&space, sampler, seed, Vec::new(), 40);
        prop_assert!(trials.iter().all(|trial| space.holds(&trial.point)));
        for (index, trial) in trials.iter().enumerate() {
            prop_assert!(trials[..index].iter().all(|other| other.point != trial.point));
        }
        // All points of a small space are tried, each once, and then there is none.
        if let Some(size) = space.size().filter(|size| *size < 40) {
            prop_assert_eq!(trials.len() as u64, size);
            prop_assert_eq!(History::of(&space, trials.clone()).suggest(sampler, seed), None);
        }
    }

    #[test]
    fn a_resumed_search_is_the_same_search(space in space(), sampler in sampler(), seed in any::<u64>(), stop in 0usize..30) {
        let whole = search(&space, sampler, seed, Vec::new(), 30);
        let stopped = search(&space, sampler, seed, Vec::new(), stop);
        prop_assert_eq!(&whole, &search(&space, sampler, seed, stopped, 30));
    }

    #[test]
    fn the_first_trials_are_alike_for_every_sampler(space in space(), seed in any::<u64>()) {
        let first = |sampler| search(&space, sampler, seed, Vec::new(), 10);
        prop_assert_eq!(first(Sampler::Random), first(Sampler::Tpe));
    }

    #[test]
    fn halving_never_stops_the_leader(values in prop::collection::vec(0.0..1.0f64, 1..40)) {
        let mut trials: Vec<Trial> = Vec::new();
        for value in values {
            let score = Score { value, penalty: 0.0 };
            let leads = trials.iter().all(|trial| trial.scores[0].value <= value);
            let goes_on = Halving::default().goes_on(&trials, 9, &[score]);
            prop_assert!(goes_on || !leads);
            trials.push(Trial { point: vec![], length: 9, scores: vec![score], failed: false });
        }
    }

    #[test]
    fn the_ranking_is_an_order_and_the_best_rises(space in space(), seed in any::<u64>()) {
        let trials = search(&space, Sampler::Tpe, seed, Vec::new(), 25);
        let mut order = ranking(&trials);
        let best = best_so_far(&trials);
        prop_assert!(best.windows(2).all(|pair| pair[0].is_none_or(|before| pair[1].is_some_and(|after| after >= before))));
        if let Some(last) = best.last().copied().flatten() {
            prop_assert_eq!(trials[order[0]].scores.last().map(|score| score.value), Some(last));
        }
        order.sort_unstable();
        prop_assert_eq!(order, (0..trials.len()).collect::<Vec<_>>());
        for importance in importance(&space, &trials).into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&importance.share) && (0.0..=1.0).contains(&importance.p_value));
        }
    }
}

#[test]
fn other_seeds_give_other_points() {
    let domain = Domain::Uniform { low: 0.0, high: 1.0 };
    let space = Space::new(vec![Dimension { name: "x".into(), domain }]).unwrap();
    let first = |seed| History::of(&space, []).suggest(Sampler::Random, seed).unwrap();
    assert_ne!(first(0), first(1));
}
