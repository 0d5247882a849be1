use std::collections::BTreeSet;

use headworks_sdk::prelude::*;

use crate::BoundedHash;

type Host = testing::MockHost<BoundedHash>;

fn endpoints(ids: impl IntoIterator<Item = u32>) -> Vec<Candidate> {
    let endpoint = |id| Candidate {
        id,
        in_flight: 10,
        ..Candidate::default()
    };
    ids.into_iter().map(endpoint).collect()
}

/// Four endpoints and a gateway that knows them.
fn stage() -> (Vec<Candidate>, Host) {
    let four = endpoints(0..4);
    let gateway = testing::gateway().pool("gpu", &four);
    (four, gateway.load(json!({})).unwrap())
}

/// Where a request of a session goes.
fn place(host: &mut Host, session: &str, endpoints: &[Candidate]) -> u32 {
    let call = host.chat("qwen2").routed("gpu");
    match call
        .header("x-session", session)
        .send()
        .place(endpoints, Duration::ZERO)
    {
        Placement::At(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_stays_on_one_endpoint_and_sessions_are_spread() {
    let (four, mut host) = stage();
    let mut shares = [0; 4];
    for session in 0..400 {
        let session = session.to_string();
        let home = place(&mut host, &session, &four);
        assert_eq!(place(&mut host, &session, &four), home);
        shares[home as usize] += 1;
    }
    assert!(shares.iter().all(|share| *share > 60), "{shares:?}");
}

#[test]
fn when_an_endpoint_goes_its_sessions_move_and_no_others() {
    let (four, mut host) = stage();
    let three = endpoints([0, 1, 3]);
    let mut refuges = BTreeSet::new();
    for session in 0..100 {
        let session = session.to_string();
        let (home, now) = (
            place(&mut host, &session, &four),
            place(&mut host, &session, &three),
        );
        if home == 2 {
            refuges.insert(now);
        } else {
            assert_eq!(now, home);
        }
    }
    assert_eq!(refuges, [0, 1, 3].into());
}

#[test]
fn an_endpoint_with_a_quarter_more_than_its_share_lends_its_sessions_to_others() {
    let (mut four, mut host) = stage();
    let home = place(&mut host, "a", &four) as usize;
    // The shares of 44 and this one are 11.25, with a quarter more 14.06.
    four[home].in_flight = 14;
    assert_eq!(place(&mut host, "a", &four) as usize, home);
    four[home].in_flight = 15;
    let refuge = place(&mut host, "a", &four);
    assert_ne!(refuge as usize, home);
    four[home].in_flight = 10;
    assert_eq!(place(&mut host, "a", &four) as usize, home);
}

#[test]
fn without_the_header_a_tenant_is_a_session_and_nobody_is_many() {
    let (four, mut host) = stage();
    let mut homes = |tenant: Option<&str>| -> BTreeSet<u32> {
        let mut place = || {
            let call = host.chat("qwen2").routed("gpu");
            let call = match tenant {
                Some(tenant) => call.tenant(tenant),
                None => call,
            };
            match call.send().place(&four, Duration::ZERO) {
                Placement::At(id) => id,
                other => panic!("{other:?}"),
            }
        };
        (0..40).map(|_| place()).collect()
    };
    assert_eq!(homes(Some("ada")).len(), 1);
    assert_eq!(homes(None).len(), 4);
}

#[test]
fn the_settings_may_name_another_header() {
    let settings = json!({"header": "x-user"});
    let mut host = testing::host::<BoundedHash>(settings).unwrap();
    let four = endpoints(0..4);
    let mut place = || {
        let call = host.chat("qwen2").header("x-user", "ada");
        call.send().place(&four, Duration::ZERO)
    };
    let home = place();
    assert!((0..20).all(|_| place() == home));
}
