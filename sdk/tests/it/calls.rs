//! What a filter reads of a request and does to it.

use headworks_sdk::prelude::*;

/// Does to the request what its header `do` says.
#[on_request]
fn doer(request: &mut Request) -> Verdict {
    let order = request.header("do").unwrap_or_default();
    match obey(&order, request) {
        Ok(()) => Verdict::Next,
        Err(why) => Verdict::reject(400, "refused", why.to_string()),
    }
}

fn obey(order: &str, request: &mut Request) -> Result<(), Refused> {
    match order {
        "cool" => request.set_parameter("temperature", 0.1)?,
        "repeat" => request.set_parameter("repetition_penalty", 1.2)?,
        "cap" => request.set_max_new_tokens(8),
        "wrap" => {
            request.wrap_prompt("<s>", "</s>")?;
            request.wrap_prompt("[", "]")?;
        }
        "rename" => {
            let renamed = format!("{}-8b", request.model());
            request.set_model(&renamed);
            request.tag("same", &(request.model() == renamed).to_string());
        }
        "user" => request.set_json("/user", json!({"id": 7}))?,
        "nowhere" => request.set_json("/no/where", 1)?,
        "read" => {
            let prompt = request.json("/inputs").unwrap();
            request.tag("prompt", &prompt.to_string());
        }
        "head" => {
            request.set_header("X-Team", "red")?;
            request.remove_header("do");
        }
        "hurry" => {
            request.set_objective(Duration::from_micros(1_500_001));
            let facts = (
                request.expected_new_tokens(),
                request.age(),
                request.tenant_share(),
            );
            request.tag("facts", &format!("{facts:?} {:?}", request.objective()));
        }
        "bad head" => request.set_header("x team", "red")?,
        _ => {}
    }
    Ok(())
}

fn host() -> testing::MockHost<Doer> {
    testing::host(json!({})).unwrap()
}

fn refusal(answer: &testing::Answer<Doer>) -> &str {
    &answer.rejection().unwrap().message
}

#[test]
fn parameters_go_by_their_tgi_names_in_every_api() {
    let mut host = host();
    let chat = host
        .chat("llama3")
        .header("Do", "cap")
        .max_new_tokens(100)
        .send();
    assert_eq!(chat.max_new_tokens(), Some(8));
    assert_eq!(chat.json("/max_completion_tokens"), Some(&json!(8)));

    let unified = host.generate("llama3").header("do", "cool").send();
    assert_eq!(unified.parameter("temperature"), Some(&json!(0.1)));
    assert_eq!(unified.json("/parameters/temperature"), Some(&json!(0.1)));
}

#[test]
fn a_parameter_that_the_api_lacks_is_refused() {
    let mut host = host();
    let chat = host.chat("llama3").header("do", "repeat").send();
    assert_eq!(refusal(&chat), "`openai.chat` has no `repetition_penalty`");
    assert_eq!(
        host.tgi().header("do", "repeat").send().verdict(),
        &Verdict::Next
    );
}

#[test]
fn a_later_wrapping_goes_around_the_earlier() {
    let mut host = host();
    let answer = host
        .generate("llama3")
        .prompt("hi")
        .header("do", "wrap")
        .send();
    assert_eq!(answer.prompt_wrapped(), Some(("[<s>", "</s>]")));
    assert_eq!(answer.json("/inputs"), Some(&json!("[<s>hi</s>]")));

    let chat = host.chat("llama3").header("do", "wrap").send();
    assert_eq!(
        refusal(&chat),
        "`openai.chat` has no prompt that is one text"
    );
}

#[test]
fn a_model_that_was_set_is_what_the_filter_sees_from_then_on() {
    let answer = host().chat("llama3").header("do", "rename").send();
    assert_eq!(answer.model(), "llama3-8b");
    assert_eq!(answer.tags()["same"], "true");
}

#[test]
fn the_body_can_be_set_where_its_parent_is() {
    let answer = host().chat("llama3").header("do", "user").send();
    assert_eq!(answer.json("/user/id"), Some(&json!(7)));
    let answer = host().chat("llama3").header("do", "nowhere").send();
    assert_eq!(
        refusal(&answer),
        "there is no place `/no/where` in the body"
    );
}

#[test]
fn headers_are_those_that_the_upstream_gets() {
    let answer = host().chat("llama3").header("do", "head").send();
    assert_eq!(
        (answer.header("x-team"), answer.header("do")),
        (Some("red"), None)
    );
    let answer = host().chat("llama3").header("do", "bad head").send();
    assert_eq!(refusal(&answer), "`x team` is not a header name");
}

#[test]
fn prompt_content_can_be_read_with_the_grant() {
    let mut host = testing::gateway()
        .grant("content")
        .load::<Doer>(json!({}))
        .unwrap();
    let answer = host
        .generate("llama3")
        .prompt("secret")
        .header("do", "read")
        .send();
    assert_eq!(answer.tags()["prompt"], "\"secret\"");
}

#[test]
#[should_panic(expected = "`/inputs` leads to prompt content, which needs the grant `content`")]
fn prompt_content_cannot_be_read_without_the_grant() {
    host().generate("llama3").header("do", "read").send();
}

#[test]
fn what_is_expected_of_a_request_and_how_old_it_is_can_be_told() {
    let mut host = host();
    host.advance(Duration::from_secs(5));
    let call = host.chat("llama3").header("do", "hurry");
    let call = call.expected_new_tokens(90).age(Duration::from_millis(250));
    let answer = call.tenant_share(1.5).objective(Duration::MAX).send();
    assert_eq!(answer.objective(), Some(Duration::from_millis(1501)));
    assert_eq!(answer.tags()["facts"], "(90, 250ms, 1.5) Some(1.501s)");

    let call = host.chat("llama3").header("do", "hurry");
    let answer = call.max_new_tokens(64).send();
    assert_eq!(answer.tags()["facts"], "(64, 0ns, 1.0) Some(1.501s)");
}
