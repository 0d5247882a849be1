//! The table of scenarios. 70 chat requests a second are the raw capacity of
//! four servers of the profile `fast12`, which is load 1.0. T1 and T2 have no demand
//! and run only when asked for.

use super::super::policy::Policy::{
    Chwbl, Fixed10, Gradient, Gradient2, LeastConnections, Pinned, RoundRobin, Routing, Shaper,
    ShaperSizeNeutral,
};
use super::{Case, Faults, Objective, Servers, Traffic};

/// Chat on four equal servers, which most scenarios vary.
const CHAT: Case = Case {
    id: "",
    title: "",
    rate: 16.0,
    seconds: 315.0,
    objective: Objective {
        seconds: 1.5,
        per_token: 0.0,
    },
    traffic: Traffic::Chat,
    whole: false,
    misjudged: 0.0,
    servers: EQUAL,
    faults: None,
    policies: &[Shaper, Fixed10],
};
const EQUAL: Servers = Servers {
    count: 4,
    profile: "fast12",
    first_slower: 1.0,
};
const ONE_SLOWER: Servers = Servers {
    first_slower: 2.0,
    ..EQUAL
};

const SLOWER: Case = Case {
    rate: 16.0,
    seconds: 315.0,
    servers: ONE_SLOWER,
    ..CHAT
};
const OVERLOAD: Case = Case {
    rate: 91.0,
    seconds: 90.0,
    ..CHAT
};

pub(super) static CASES: [Case; 18] = [
    Case {
        id: "A1",
        title: "50 users, 3.8 s to think, two servers",
        rate: 50.0,
        seconds: 500.0,
        traffic: Traffic::Users,
        servers: Servers { count: 2, ..EQUAL },
        policies: &[Shaper, Pinned, RoundRobin, LeastConnections],
        ..CHAT
    },
    Case {
        id: "A2",
        title: "four equal servers, 24 req/s",
        rate: 24.0,
        seconds: 240.0,
        policies: &[Shaper, RoundRobin, LeastConnections],
        ..CHAT
    },
    Case {
        id: "A3",
        title: "one of four servers half as fast, 16 req/s",
        policies: &[Shaper, Routing, RoundRobin, LeastConnections, Gradient],
        ..SLOWER
    },
    Case {
        id: "A4",
        title: "one server four times slower for 60 s, 20 req/s",
        rate: 20.0,
        seconds: 360.0,
        faults: Some(Faults {
            slower: Some(4.0),
            lasts: 60.0,
            every: 120.0,
        }),
        policies: &[Shaper, Routing, RoundRobin, LeastConnections],
        ..CHAT
    },
    Case {
        id: "A5",
        title: "one server stalls for 10 s, 20 req/s",
        rate: 20.0,
        seconds: 360.0,
        faults: Some(Faults {
            slower: None,
            lasts: 10.0,
            every: 60.0,
        }),
        policies: &[Shaper, RoundRobin, LeastConnections],
        ..CHAT
    },
    Case {
        id: "A6",
        title: "overload, 1.3 x raw capacity, 91 req/s",
        policies: &[
            Shaper,
            ShaperSizeNeutral,
            Fixed10,
            Gradient,
            Gradient2,
            RoundRobin,
            LeastConnections,
        ],
        ..OVERLOAD
    },
    Case {
        id: "A7",
        title: "bursts, 0.5 x raw capacity, 35 req/s",
        rate: 35.0,
        seconds: 240.0,
        traffic: Traffic::Bursty,
        policies: &[Shaper, LeastConnections, Fixed10],
        ..CHAT
    },
    Case {
        id: "A8",
        title: "conversations, 8 turns/s, objective 3 s",
        rate: 8.0,
        seconds: 630.0,
        objective: Objective {
            seconds: 3.0,
            per_token: 0.0,
        },
        traffic: Traffic::MultiTurn,
        policies: &[Shaper, RoundRobin, LeastConnections, Chwbl],
        ..CHAT
    },
    Case {
        id: "A9",
        title: "one of four tenants sends 70 %, 60 req/s",
        rate: 60.0,
        seconds: 120.0,
        traffic: Traffic::Flood,
        policies: &[Shaper, LeastConnections, Fixed10],
        ..CHAT
    },
    Case {
        id: "A11-whole-slower",
        title: "A3 with whole answers",
        whole: true,
        ..SLOWER
    },
    Case {
        id: "A11-whole-overload",
        title: "A6 with whole answers",
        whole: true,
        ..OVERLOAD
    },
    Case {
        id: "A11-linear-slower",
        title: "A3 on servers of the profile linear",
        servers: Servers {
            profile: "linear",
            ..ONE_SLOWER
        },
        ..SLOWER
    },
    Case {
        id: "A11-linear-overload",
        title: "A6 on servers of the profile linear",
        servers: Servers {
            profile: "linear",
            ..EQUAL
        },
        ..OVERLOAD
    },
    Case {
        id: "A11-misjudged-slower",
        title: "A3 with prompts judged wrong by up to 40 %",
        misjudged: 0.4,
        ..SLOWER
    },
    Case {
        id: "A11-misjudged-overload",
        title: "A6 with prompts judged wrong by up to 40 %",
        misjudged: 0.4,
        ..OVERLOAD
    },
    Case {
        id: "A12",
        title: "light load, 0.2 x raw capacity, 14 req/s",
        rate: 14.0,
        seconds: 360.0,
        policies: &[Shaper, LeastConnections],
        ..CHAT
    },
    Case {
        id: "T1",
        title: "Azure's conversation trace, 8 req/s",
        rate: 8.0,
        seconds: 640.0,
        objective: Objective {
            seconds: 1.5,
            per_token: 0.025,
        },
        traffic: Traffic::Trace,
        policies: &[Shaper, LeastConnections],
        ..CHAT
    },
    Case {
        id: "T2",
        title: "one of four tenants sends 40 %, in bursts, with long prompts, 24 req/s",
        rate: 24.0,
        seconds: 240.0,
        traffic: Traffic::Noisy,
        policies: &[Shaper, LeastConnections],
        ..CHAT
    },
];
