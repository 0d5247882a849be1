mod properties;
mod sharing;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint that takes so many milliseconds, and a second at best.
fn takes(id: u32, ms: u32) -> Candidate {
    Candidate {
        id,
        in_flight: 3,
        whole_us: ms * 900,
        whole_usual_us: ms * 1000,
        unloaded_us: 1_000_000,
        weight: 10,
        ..Candidate::default()
    }
}

/// A request that is to be answered in 1.5 s.
const REQUEST: Request = Request {
    objective: Some(Duration::from_millis(1500)),
    priority: Priority::Normal,
    prompt: 100,
    waited: Duration::ZERO,
    share: 1.0,
    again: false,
};

/// A law that has just refused something, so that nothing is done as a favour.
fn strict() -> Law {
    let mut law = Law::default();
    law.learned.last_favour = Some(0.0);
    law
}

fn decide(law: &mut Law, request: &Request, candidates: &[Candidate]) -> Decision {
    law.decide(request, candidates, SECOND, &mut || 0.5)
}

/// What let it go somewhere.
fn way(law: &mut Law, request: &Request, candidates: &[Candidate]) -> Way {
    let decision = decide(law, request, candidates);
    let Decision::At { way, .. } = decision else {
        panic!("{decision:?}")
    };
    way
}

/// Why it is refused.
fn refusal(law: &mut Law, request: &Request, candidates: &[Candidate]) -> Refusal {
    let decision = decide(law, request, candidates);
    let Decision::Refuse { kind, .. } = decision else {
        panic!("{decision:?}")
    };
    kind
}

/// Where it goes, if anywhere.
fn place(law: &mut Law, request: &Request, candidates: &[Candidate]) -> Option<u32> {
    match decide(law, request, candidates) {
        Decision::At { id, .. } => Some(id),
        _ => None,
    }
}

#[test]
fn a_request_goes_where_it_is_answered_soonest_and_hinders_least() {
    let fast = Candidate {
        inflicted_us: 300_000,
        ..takes(1, 1200)
    };
    let slower = takes(2, 1300);
    assert_eq!(place(&mut strict(), &REQUEST, &[fast, slower]), Some(2));
    let strong = Candidate { weight: 20, ..fast };
    assert_eq!(place(&mut strict(), &REQUEST, &[strong, slower]), Some(1));
}

#[test]
fn equals_are_chosen_by_lot() {
    let equals: Vec<Candidate> = (0..4).map(|id| takes(id, 1000)).collect();
    let (mut law, mut lots) = (strict(), 0_u32);
    let mut chance = || {
        lots = lots.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(lots) / 4_294_967_296.0
    };
    let mut times = [0; 4];
    for _ in 0..4000 {
        let decision = law.decide(&REQUEST, &equals, SECOND, &mut chance);
        let Decision::At { id, .. } = decision else {
            panic!("{decision:?}")
        };
        times[id as usize] += 1;
    }
    assert!(
        times.iter().all(|times| (850..1150).contains(times)),
        "{times:?}"
    );
}

#[test]
fn what_would_be_late_everywhere_is_refused_at_once() {
    let mut law = strict();
    let late = [takes(1, 1700), takes(2, 3500)];
    let decision = decide(&mut law, &REQUEST, &late);
    let Decision::Refuse {
        kind, retry_after, ..
    } = decision
    else {
        panic!("{decision:?}")
    };
    assert_eq!(kind, Refusal::Overload);
    assert_eq!(retry_after, SECOND.mul_f64(1.25));
    assert_eq!(
        place(&mut law, &REQUEST, &[late[0], takes(3, 1490)]),
        Some(3)
    );
}

#[test]
fn time_spent_waiting_counts() {
    let waited = Request {
        waited: Duration::from_millis(100),
        ..REQUEST
    };
    assert_eq!(place(&mut strict(), &REQUEST, &[takes(1, 1450)]), Some(1));
    assert_eq!(place(&mut strict(), &waited, &[takes(1, 1450)]), None);
}

#[test]
fn without_an_objective_nothing_is_late() {
    let whenever = Request {
        objective: None,
        ..REQUEST
    };
    let slow = Candidate {
        makes_late: true,
        ..takes(1, 60_000)
    };
    assert_eq!(
        place(&mut strict(), &whenever, &[slow, takes(2, 70_000)]),
        Some(1)
    );
    let suspect = Candidate {
        health: Health::Suspect,
        ..slow
    };
    assert_eq!(place(&mut strict(), &whenever, &[suspect]), Some(1));
    assert_eq!(place(&mut strict(), &REQUEST, &[suspect]), None);
}

#[test]
fn endpoints_that_are_not_well_get_nothing_but_a_probe() {
    let suspect = Candidate {
        health: Health::Suspect,
        ..takes(1, 1000)
    };
    assert_eq!(
        place(&mut strict(), &REQUEST, &[suspect, takes(2, 1400)]),
        Some(2)
    );
    let probe = Candidate {
        wants_probe: true,
        ..suspect
    };
    assert_eq!(
        place(&mut strict(), &REQUEST, &[takes(2, 1000), probe]),
        Some(1)
    );
    let down = Candidate {
        health: Health::Down,
        ..probe
    };
    assert_eq!(
        place(&mut strict(), &REQUEST, &[down, takes(2, 1000)]),
        Some(2)
    );
}

#[test]
fn an_endpoint_of_which_nothing_is_known_gets_one_request_before_all_others() {
    let unknown = |in_flight| Candidate {
        id: 9,
        in_flight,
        ..Candidate::default()
    };
    let known = takes(1, 1000);
    assert_eq!(
        place(&mut strict(), &REQUEST, &[known, unknown(0)]),
        Some(9)
    );
    assert_eq!(
        place(&mut strict(), &REQUEST, &[known, unknown(1)]),
        Some(1)
    );
    // Where nothing is known of any, a few may run on each until something is.
    assert_eq!(place(&mut strict(), &REQUEST, &[unknown(7)]), Some(9));
    let mut busy = strict();
    busy.learned.last_refusal = Some(0.5);
    assert_eq!(place(&mut busy, &REQUEST, &[unknown(8)]), None);
    assert_eq!(way(&mut strict(), &REQUEST, &[unknown(0)]), Way::Unknown);
    let whenever = Request::whenever();
    assert_eq!(place(&mut strict(), &whenever, &[unknown(8)]), Some(9));
}

#[test]
fn a_request_waits_only_if_its_objective_leaves_time_for_that() {
    let waits = |objective, waited| {
        let request = Request {
            objective: Some(Duration::from_millis(objective)),
            waited: Duration::from_micros(waited),
            ..REQUEST
        };
        match decide(&mut strict(), &request, &[takes(1, 9000)]) {
            Decision::Hold { at_most, .. } => Some(at_most.as_millis()),
            _ => None,
        }
    };
    assert_eq!(waits(1900, 0), None);
    // A fifth of the two seconds beyond the one that it takes at best.
    assert_eq!(waits(3000, 0), Some(400));
    assert_eq!(waits(3000, 398_500), Some(1));
    // Less than a millisecond is no wait: it would be asked about again and again.
    assert_eq!((waits(3000, 399_100), waits(3000, 401_000)), (None, None));
}

#[test]
fn a_request_stands_in_line_by_priority_then_by_its_length_and_age() {
    let normal = |tokens| behind(tokens, Priority::Normal);
    // What has waited for a second is level with what is 60 tokens shorter.
    assert_eq!(normal(160) - normal(100), SECOND);
    assert!(behind(9999, Priority::High) < normal(0));
    assert!(normal(9999) < behind(0, Priority::Low));
}

#[test]
fn a_full_endpoint_gets_nothing_and_who_has_no_objective_waits_for_it() {
    let full = Candidate {
        is_full: true,
        ..takes(1, 1000)
    };
    let slow = takes(2, 1400);
    assert_eq!(place(&mut strict(), &REQUEST, &[full, slow]), Some(2));
    assert_eq!(refusal(&mut strict(), &REQUEST, &[full]), Refusal::Overload);
    let relaxed = Request {
        objective: Some(3 * SECOND),
        ..REQUEST
    };
    let whenever = Request::whenever();
    let suspect = Candidate {
        health: Health::Suspect,
        ..slow
    };
    for waits in [relaxed, whenever] {
        let decision = decide(&mut strict(), &waits, &[full, suspect]);
        assert!(matches!(decision, Decision::Hold { .. }), "{decision:?}");
        assert_eq!(decision.why(), "every endpoint is full");
    }
}

#[test]
fn only_an_answer_that_was_promised_in_time_says_something_about_predictions() {
    let idle = Candidate {
        is_idle_without_news: true,
        ..takes(1, 1600)
    };
    let mut law = Law::default();
    assert_eq!(way(&mut law, &REQUEST, &[idle]), Way::Forgotten);
    assert_eq!(way(&mut law, &REQUEST, &[takes(1, 1600)]), Way::Favour);
    let long = Candidate {
        unloaded_us: 1_600_000,
        ..takes(1, 1700)
    };
    assert_eq!(way(&mut law, &REQUEST, &[long]), Way::Stretched);
    assert_eq!(way(&mut law, &REQUEST, &[takes(1, 1400)]), Way::InTime);
    let promises = [
        Way::Forgotten,
        Way::Favour,
        Way::Again,
        Way::Stretched,
        Way::Unknown,
        Way::Probe,
    ];
    assert!(Way::InTime.is_promise() && !promises.into_iter().any(Way::is_promise));
}

#[test]
fn one_late_request_is_let_through_at_a_quiet_time_and_none_while_others_are_refused() {
    let late = [takes(1, 1600)];
    let mut law = Law::default();
    assert_eq!(way(&mut law, &REQUEST, &late), Way::Favour);
    assert_eq!(refusal(&mut law, &REQUEST, &late), Refusal::Overload);
    let mut at = |seconds| law.decide(&REQUEST, &late, seconds * SECOND, &mut || 0.5);
    // Ten seconds after the favour, but not yet after the refusal.
    let refused = at(10);
    assert!(matches!(refused, Decision::Refuse { .. }), "{refused:?}");
    let again = at(20);
    assert!(matches!(again, Decision::At { .. }), "{again:?}");
}

#[test]
fn who_was_failed_by_an_endpoint_is_answered_late_while_nobody_is_refused() {
    let failed = Request {
        waited: Duration::from_millis(1400),
        again: true,
        ..REQUEST
    };
    let mut law = Law::default();
    for _ in 0..3 {
        assert_eq!(way(&mut law, &failed, &[takes(1, 1000)]), Way::Again);
    }
    // It takes nobody else's favour.
    assert_eq!(way(&mut law, &REQUEST, &[takes(1, 1600)]), Way::Favour);
    refusal(&mut law, &REQUEST, &[takes(1, 1600)]);
    let mut at = |seconds| law.decide(&failed, &[takes(1, 1000)], seconds * SECOND, &mut || 0.5);
    let refused = at(10);
    assert!(matches!(refused, Decision::Refuse { .. }), "{refused:?}");
    // Its own refusal says nothing of the load.
    let late = at(11);
    assert!(matches!(late, Decision::At { .. }), "{late:?}");
}

#[test]
fn who_was_failed_by_an_endpoint_goes_to_one_that_works() {
    let failed = Request {
        again: true,
        ..REQUEST
    };
    let silent = Candidate {
        wants_probe: true,
        health: Health::Suspect,
        ..takes(1, 1000)
    };
    let both = [silent, takes(2, 1200)];
    assert_eq!(way(&mut strict(), &REQUEST, &both), Way::Probe);
    assert_eq!(way(&mut strict(), &failed, &both), Way::InTime);
    assert_eq!(way(&mut strict(), &failed, &[silent]), Way::Probe);
}

#[test]
fn where_nothing_is_up_the_client_is_told_so() {
    let down = Candidate {
        health: Health::Down,
        ..takes(1, 1000)
    };
    for request in [REQUEST, Request::whenever()] {
        for endpoints in [&[][..], &[down]] {
            let kind = refusal(&mut strict(), &request, endpoints);
            assert_eq!(kind, Refusal::NoEndpoint);
        }
    }
}

#[test]
fn the_margin_follows_the_part_of_answers_that_was_late() {
    let mut law = strict();
    (0..200).for_each(|_| law.answered(true));
    assert!(law.margin() > 1.0);
    let before = law.margin();
    (0..8).for_each(|_| law.answered(false));
    assert!(law.margin() < before);
    (0..100_000).for_each(|_| law.answered(false));
    assert!((law.margin() - 0.8).abs() < 1e-9);
}

#[test]
fn size_neutral_treats_a_long_prompt_as_one_of_mean_length() {
    let long = Request {
        prompt: 1000,
        ..REQUEST
    };
    let at = Candidate {
        own_prefill_us: 400_000,
        makes_late: true,
        ..takes(1, 1700)
    };
    let mut law = strict();
    assert_eq!(place(&mut law, &long, &[at]), None);
    law.options.size_neutral = true;
    law.learned.mean_prompt = 100.0;
    assert_eq!(place(&mut law, &long, &[at]), Some(1));
}

#[test]
fn what_one_instance_has_learned_goes_to_another() {
    let mut law = strict();
    (0..500).for_each(|_| law.answered(true));
    decide(&mut law, &REQUEST, &[takes(1, 1700)]);
    let saved = law.save();
    let mut other = Law::new(Options {
        size_neutral: true,
        ..Options::default()
    });
    assert!(other.restore(&saved));
    assert_eq!(other.learned, law.learned);
    assert!(other.options.size_neutral);
    let untouched = other;
    let other_version = [&[7][..], &saved[1..]].concat();
    let nonsense = [&saved[..1], &[0xff; 112]].concat();
    for broken in [&saved[..80], &[], &other_version, &nonsense] {
        assert!(!other.restore(broken));
    }
    assert_eq!(other, untouched);
}
