//! A desk, told of runs as whoever makes them tells it.

use kernels::InstructionSet;
use page::{Assignment, Desk, EngineDescription, Message, Problem, RunState, Sessions};
use records::event::{Event, Kind, Run, Step, Work};
use std::sync::Arc;
use study::run::Session;

/// One small data set, whatever is asked for.
struct Small(Arc<Session>);

impl Sessions for Small {
    fn open(&mut self, _: &str) -> Result<Arc<Session>, Problem> {
        Ok(Arc::clone(&self.0))
    }

    fn names(&self) -> Vec<String> {
        vec!["mnist".to_owned()]
    }
}

fn desk() -> Desk {
    let corpus = data::synthetic(5, 60, 30, 12, 12, 3);
    let session = Session::of(corpus, InstructionSet::PORTABLE, 1).expect("a session");
    let (kernels, processor) = ("portable".to_owned(), String::new());
    let description = EngineDescription { kind: "native", kernels, threads: 1, processor };
    Desk::new(description, Box::new(Small(Arc::new(session))), "models = [\"own\"]")
}

fn study(models: &str, seeds: u64) -> String {
    format!(
        "models = [{models}]\nseeds = {seeds}\n[recipe]\nepochs = 2\n[model.own]\nlayers = [\"flatten\", \"dense classes\"]\n\
         [model.other]\nlayers = [\"flatten\", \"dense 4\", \"relu\", \"dense classes\"]\n"
    )
}

fn tell(desk: &mut Desk, run: &Assignment, kind: Kind) -> Option<Event> {
    let told = Run::of(run.index, run.total, &run.specification);
    desk.hear(&run.id, &Event { work: Some(Work::Run(told)), kind })
}

fn states(desk: &Desk) -> Vec<RunState> {
    desk.state().runs.iter().map(|run| run.state).collect()
}

#[test]
fn a_run_that_is_given_up_takes_no_other_with_it() {
    let mut desk = desk();
    let runs = desk.plan(&study("\"own\", \"other\"", 1)).expect("a study");
    for run in &runs {
        tell(&mut desk, run, Kind::started(&run.specification));
        let learnt = desk.learn(&run.id, 1, 3, false, vec![0.5; 3]);
        assert!(matches!(learnt, Some(Message::Weights { epoch: 1, step: 3, finished: false, .. })));
    }
    assert_eq!(states(&desk), [RunState::Training; 2]);
    desk.give_up(&runs[0].id);
    assert_eq!(states(&desk), [RunState::Waiting, RunState::Training]);
    // What it learnt is forgotten, what the other learnt is not.
    let told: Vec<Message> = desk.moments();
    assert!(matches!(&told[..], [Message::Weights { model, .. }] if model == "other"), "{told:?}");
}

#[test]
fn a_run_goes_on_where_the_plan_changes() {
    let mut desk = desk();
    let runs = desk.plan(&study("\"own\"", 2)).expect("a study");
    tell(&mut desk, &runs[1], Kind::started(&runs[1].specification));
    // Another model comes before it: the run has another place, and is not planned twice.
    let left = desk.plan(&study("\"other\", \"own\"", 2)).expect("a study");
    assert!(left.iter().all(|run| run.id != runs[1].id));
    let step = Step { epoch: 1, step: 2, steps: 3, images: 40, train_loss: 1.0, train_accuracy: 0.5 };
    let told = tell(&mut desk, &runs[1], Kind::Step(step.clone())).expect("it is in the study");
    assert_eq!(told.run().map(|run| (run.index, run.total)), Some((3, 4)));
    assert_eq!(desk.state().runs[3].step, Some(step));
    // Of a run that the study has no more nothing is told.
    desk.plan(&study("\"other\"", 1)).expect("a study");
    assert_eq!(tell(&mut desk, &runs[1], Kind::Waiting { runs: 1 }), None);
    assert!(desk.learn(&runs[1].id, 1, 1, false, vec![0.5]).is_none());
}
