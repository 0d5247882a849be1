//! What `headworks usage` shows.

use clap::{CommandFactory as _, Parser};
use expect_test::{Expect, expect};

use super::command::{self, Args};
use super::*;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn row(day: &str, names: [&str; 4], requests: u64) -> Row {
    let [tenant, key, class, model] = names.map(Arc::from);
    Row {
        day: day.parse().unwrap(),
        key: RowKey {
            tenant,
            key,
            class,
            model,
        },
        sums: sums(requests),
    }
}

fn rows() -> Vec<Row> {
    vec![
        row("2026-02-01", ["beta", "ci", "batch", "qwen2"], 1),
        row("2026-01-31", ["acme", "web", "default", "qwen2"], 123_456),
        row("2026-01-31", ["acme", "ci", "default", "llama"], 20),
        row("2026-02-01", ["acme", "ci", "default", "qwen2"], 300),
    ]
}

fn check(rows: &[Row], format: Format, by: &[Column], expected: &Expect) {
    expected.assert_eq(&rendered(rows, format, by));
}

fn rendered(rows: &[Row], format: Format, by: &[Column]) -> String {
    let mut out = Vec::new();
    render(rows, format, by, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_has_sums_in_order_and_a_total() {
    let by = [Column::Day, Column::Tenant];
    check(
        &rows(),
        Format::Table,
        &by,
        &expect![[r#"
        | day        | tenant | requests | input_tokens | output_tokens |    tokens |
        |------------|--------|----------|--------------|---------------|-----------|
        | 2026-01-31 | acme   |  123,476 |      370,428 |       864,332 | 1,234,760 |
        | 2026-02-01 | acme   |      300 |          900 |         2,100 |     3,000 |
        | 2026-02-01 | beta   |        1 |            3 |             7 |        10 |
        | total      |        |  123,777 |      371,331 |       866,439 | 1,237,770 |
    "#]],
    );
    let by = [Column::Tenant, Column::Day, Column::Tenant];
    check(
        &rows(),
        Format::Table,
        &by,
        &expect![[r#"
        | tenant | day        | requests | input_tokens | output_tokens |    tokens |
        |--------|------------|----------|--------------|---------------|-----------|
        | acme   | 2026-01-31 |  123,476 |      370,428 |       864,332 | 1,234,760 |
        | acme   | 2026-02-01 |      300 |          900 |         2,100 |     3,000 |
        | beta   | 2026-02-01 |        1 |            3 |             7 |        10 |
        | total  |            |  123,777 |      371,331 |       866,439 | 1,237,770 |
    "#]],
    );
    check(
        &rows(),
        Format::Table,
        &[],
        &expect![[r#"
        | requests | input_tokens | output_tokens |    tokens |
        |----------|--------------|---------------|-----------|
        |  123,777 |      371,331 |       866,439 | 1,237,770 |
    "#]],
    );
    check(
        &[],
        Format::Table,
        &[Column::Model],
        &expect![[r#"
        | model | requests | input_tokens | output_tokens | tokens |
        |-------|----------|--------------|---------------|--------|
        | total |        0 |            0 |             0 |      0 |
    "#]],
    );
}

#[test]
fn csv_has_a_header_and_no_total() {
    check(
        &[],
        Format::Csv,
        &[],
        &expect![[r#"
        requests,input_tokens,output_tokens,tokens
        0,0,0,0
    "#]],
    );
    let by = [Column::Model, Column::Class];
    check(
        &rows(),
        Format::Csv,
        &by,
        &expect![[r#"
        model,class,requests,input_tokens,output_tokens,tokens
        llama,default,20,60,140,200
        qwen2,batch,1,3,7,10
        qwen2,default,123756,371268,866292,1237560
    "#]],
    );
    check(
        &[],
        Format::Csv,
        &[Column::Day],
        &expect![[r#"
        day,requests,input_tokens,output_tokens,tokens
    "#]],
    );
}

#[test]
fn json_has_an_object_for_each_sum() {
    check(
        &rows(),
        Format::Json,
        &[Column::Key],
        &expect![[r#"
        [
          {
            "key": "ci",
            "requests": 321,
            "input_tokens": 963,
            "output_tokens": 2247,
            "tokens": 3210
          },
          {
            "key": "web",
            "requests": 123456,
            "input_tokens": 370368,
            "output_tokens": 864192,
            "tokens": 1234560
          }
        ]
    "#]],
    );
    check(
        &[],
        Format::Json,
        &[Column::Key],
        &expect![[r#"
        []
    "#]],
    );
}

#[test]
fn strange_names_stay_in_their_place() {
    let names = ["a,b", "say \"hi\"", "two\r\nlines", "=1+1|\u{1b}[2Jé"];
    let rows = [row("2026-01-31", names, 1)];
    let by = [Column::Tenant, Column::Key, Column::Class, Column::Model];
    assert_eq!(
        rendered(&rows, Format::Csv, &by),
        "tenant,key,class,model,requests,input_tokens,output_tokens,tokens\n\
         \"a,b\",\"say \"\"hi\"\"\",\"two\r\nlines\",=1+1|\u{1b}[2Jé,1,3,7,10\n"
    );
    check(
        &rows,
        Format::Table,
        &by,
        &expect![[r#"
            | tenant | key      | class        | model            | requests | input_tokens | output_tokens | tokens |
            |--------|----------|--------------|------------------|----------|--------------|---------------|--------|
            | a,b    | say "hi" | two\r\nlines | =1+1\|\u{1b}[2Jé |        1 |            3 |             7 |     10 |
            | total  |          |              |                  |        1 |            3 |             7 |     10 |
        "#]],
    );
    check(
        &rows,
        Format::Json,
        &by,
        &expect![[r#"
        [
          {
            "tenant": "a,b",
            "key": "say \"hi\"",
            "class": "two\r\nlines",
            "model": "=1+1|\u001b[2Jé",
            "requests": 1,
            "input_tokens": 3,
            "output_tokens": 7,
            "tokens": 10
          }
        ]
    "#]],
    );
}

fn run(arguments: &[&str]) -> Result<String, String> {
    let arguments = ["usage"].iter().chain(arguments);
    let cli = Cli::try_parse_from(arguments).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    command::run(&cli.args, &mut out).map_err(|error| format!("{error:#}"))?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn the_command_shows_what_a_running_gateway_wrote() {
    let (_folder, path) = place();
    let ledger = Ledger::open(&path).unwrap();
    ledger.record(entry("acme/ci"));
    ledger.record(entry("-/-"));
    ledger.flush().unwrap();
    let file = format!("--file={}", path.display());
    let shown = run(&[&file, "--by=tenant,key", "--format=csv"]).unwrap();
    expect![[r#"
        tenant,key,requests,input_tokens,output_tokens,tokens
        -,-,1,3,7,10
        acme,ci,1,3,7,10
    "#]]
    .assert_eq(&shown);
    let shown = run(&[&file, "--tenant", "-", "--by=key", "--format=csv"]).unwrap();
    expect![[r#"
        key,requests,input_tokens,output_tokens,tokens
        -,1,3,7,10
    "#]]
    .assert_eq(&shown);
    let shown = run(&[&file, "--to=2020-01-01", "--format=json"]).unwrap();
    assert_eq!(shown, "[]\n");
}

#[test]
fn the_command_says_what_is_wrong() {
    let said = |arguments: &[&str]| run(arguments).unwrap_err();
    let first_line = |said: String| said.lines().next().unwrap().to_owned();
    expect!["error: invalid value '2026-1-1' for '--from <DAY>': a day is written YYYY-MM-DD, such as 2026-02-28"].assert_eq(&first_line(said(&["--file=a", "--from=2026-1-1"])));
    expect!["error: invalid value '2026-02-30' for '--to <DAY>': the calendar has no such day"]
        .assert_eq(&first_line(said(&["--file=a", "--to=2026-02-30"])));
    let missing = run(&["--file=/missing/usage.db"]).unwrap_err();
    expect![
        "there is no ledger `/missing/usage.db`; name the file that a gateway's configuration names"
    ]
    .assert_eq(&missing);
    expect!["--from 2026-02-02 is after --to 2026-02-01; swap them"].assert_eq(&said(&[
        "--file=a",
        "--from=2026-02-02",
        "--to=2026-02-01",
    ]));
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}
