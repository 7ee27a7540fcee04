//! What templates give, by Velocity's and API Gateway's documentation.

use serde_json::json;

use super::*;

fn input() -> Input {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Input {
        body: r#"{"name": "Ada", "tags": ["a", "b"], "deep": {"n": 1.5, "list": [{"x": 1}]}, "none": null}"#.to_owned(),
        path: vec![pair("id", "7")],
        querystring: vec![pair("q", "first"), pair("q", "it's \"so\"")],
        header: vec![pair("X-Token", "t")],
        context: json!({ "stage": "dev", "identity": { "sourceIp": "127.0.0.1" } }),
        stage_variables: json!({ "table": "posters" }),
    }
}

fn gives(template: &str) -> String {
    render(template, &input()).unwrap_or_else(|error| panic!("{template}: {error}")).text
}

fn fails(template: &str) -> String {
    render(template, &input()).expect_err(template).to_string()
}

#[test]
fn references_write_their_values() {
    for (template, text) in [
        ("$input.params('id')", "7"),
        ("$input.params('q')", "it's \"so\""),
        ("$input.params('x-token')", "t"),
        ("[$input.params('none')]", "[]"),
        ("$input.params().path.id $input.params().header.get('X-Token')", "7 t"),
        ("$input.path('$.name')!", "Ada!"),
        ("${input.path('$').deep.n}x", "1.5x"),
        ("$input.path('$.tags')[1]", "b"),
        ("$input.path('$.tags')", r#"["a","b"]"#),
        ("$input.path('$.deep')", r#"{n=1.5, list=[{"x":1}]}"#),
        ("$input.json('$.deep')", r#"{"n":1.5,"list":[{"x":1}]}"#),
        ("$input.json('$.name')", r#""Ada""#),
        ("$input.json('$.missing')", r#""""#),
        ("$context.stage/$context.identity.sourceIp", "dev/127.0.0.1"),
        ("$stageVariables.table ${stageVariables['table']}", "posters posters"),
        ("$context.nothing.at.all|$stageVariables.no", "|"),
    ] {
        assert_eq!(gives(template), text, "{template}");
    }
}

#[test]
fn what_is_no_reference_is_text() {
    for text in [
        "$",
        "$5",
        "a$",
        "${",
        "${}",
        "$!",
        "#",
        "#1",
        "# if",
        "\\",
        "a\\b",
        "$$",
        "$undefined",
        "${undefined}",
        "$a.b(1)",
        "50% #off",
        "$undefined[0]",
        "{\"a\": \"$.b\"}",
    ] {
        assert_eq!(gives(text), text);
    }
    assert_eq!(gives("[$!undefined$!{undefined}]"), "[]");
}

#[test]
fn a_backslash_quotes_what_has_a_value() {
    assert_eq!(gives("#set($a = 1)\\$a \\\\$a \\$b"), "$a \\1 \\$b");
    assert_eq!(gives("\\#set($a = 1)"), "#set($a = 1)");
}

#[test]
fn set_and_if_and_expressions() {
    for (template, text) in [
        ("#set($a = 1 + 2 * 3)$a", "7"),
        ("#set($a = (1 + 2) * 3)$a", "9"),
        ("#set($a = 7 / 2)$a #set($b = 7 % 4)$b", "3 3"),
        ("#set($a = 1 / 0)$a", "$a"),
        ("#set($a = 'x' + 1)$a", "x1"),
        ("#set($a = \"<$context.stage>\")$a", "<dev>"),
        ("#set($a = '<$context.stage>')$a", "<$context.stage>"),
        ("#set($a = \"say \"\"hi\"\"\")$a", "say \"hi\""),
        ("#set($a = [1, 'two', [3]])$a $a.size()", "[1, two, [3]] 3"),
        ("#set($a = {\"k\": 1, 'l': \"m\"})$a $a.k $a.get('l')", "{k=1, l=m} 1 m"),
        ("#set($a = [1..3])$a#set($b = [2..0])$b", "[1, 2, 3][2, 1, 0]"),
        ("#if(1 < 2 && !(2 <= 1) || false)yes#{else}no#end", "yes"),
        ("#if(1 gt 2)a#elseif('x' == 'x')b#{else}c#end", "b"),
        ("#if($undefined)a#else b#end", " b"),
        ("#if($input.params('none') == '')empty#end", "empty"),
        ("#if($input.path('$.none'))a#{else}null#end", "null"),
        ("#if(1 == 1.0 and \"1\" == 1)same#end", "same"),
        ("#if(not false)x#end", "x"),
        ("#set($m = {})#set($m.a = 1)#set($m['b'] = 2)$m", "{a=1, b=2}"),
        ("#set($a = 'kept')#set($a = $undefined)$a", "kept"),
    ] {
        assert_eq!(gives(template), text, "{template}");
    }
}

/// The first lines have the templates and the answers of AWS that localstack/localstack recorded.
#[test]
fn what_a_path_or_a_property_does_not_find_writes_nothing_and_is_both_null_and_empty() {
    let shape = |path: &str| {
        format!(
            "#set($r = $input.path('{path}'))$r|$r.nested|#if($r == $null)null#end|#if($r == \"\")empty#end|#if($r)true#end"
        )
    };
    let with = |body: &str, template: &str| {
        render(template, &Input { body: body.to_owned(), ..input() }).unwrap_or_else(|error| panic!("{error}")).text
    };
    assert_eq!(with("", &shape("$.nonExisting")), "||null|empty|");
    assert_eq!(with(r#"{"listValue": null}"#, &shape("$.listValue")), "||null|empty|");
    assert_eq!(with(r#"{"listValue": []}"#, &shape("$.listValue")), "[]||||true");
    for (template, text) in [
        ("[$input.path('$.missing')]", "[]"),
        ("#set($b = $input.path('$'))[$b.nope$b.none${b.nope.deeper}$b['nope']$b.tags[7]$b.get('nope')]", "[]"),
        (
            "#set($b = $input.path('$'))#foreach($t in $b.deep.list){\"x\":\"$t.x\",\"y\":\"$t.y.S\"}#end",
            r#"{"x":"1","y":""}"#,
        ),
        ("#set($b = $input.path('$'))#if($b.nope == '' && $b.nope == $undefined && $b.name != '')yes#end", "yes"),
        ("#set($b = $input.path('$'))#if($b.nope != 'x' && $b.nope != 0)other#end", "other"),
        ("#set($n = $input.path('$.nope'))#set($n = \"<$n>\")$n", "<>"),
        ("#set($n = 'kept')#set($n = $input.path('$.nope'))[$n]", "[]"),
        ("[$util.escapeJavaScript($input.path('$.nope'))$util.urlEncode($input.path('$').nope)]", "[]"),
        ("#foreach($i in $input.path('$.nope'))x#end", ""),
        ("#set($m = {'k': $input.path('$.nope')})$m.k|$m.l|$m", "||{k=}"),
        // What no template has set is still text, as Velocity has it.
        ("$never.set", "$never.set"),
        ("#set($s = 'text')$s.nope", ""),
    ] {
        assert_eq!(gives(template), text, "{template}");
    }
}

#[test]
fn loops_know_where_they_are() {
    for (template, text) in [
        ("#foreach($t in $input.path('$.tags'))$foreach.index:$t#if($foreach.hasNext),#end#end", "0:a,1:b"),
        ("#foreach($i in [1..5])#if($i == 4)#break#end$foreach.count#end", "123"),
        ("#foreach($k in $input.params().querystring.keySet())$k#end", "q"),
        ("#set($m = {'a': 1})#foreach($e in $m.entrySet())$e.key=$e.getValue()#end", "a=1"),
        ("#foreach($i in $undefined)x#end", ""),
        ("#foreach($i in [1..2])#foreach($j in [1..2])$foreach.parent.count$j #end#end", "11 12 21 22 "),
        ("a#stop b", "a"),
        ("#set($i = 'outer')#foreach($i in [1])$i#end$i", "1outer"),
    ] {
        assert_eq!(gives(template), text, "{template}");
    }
    assert_eq!(gives("#foreach($i in [1..5000])x#end").len(), 1000);
}

#[test]
fn lines_of_directives_leave_nothing_behind() {
    assert_eq!(gives("#set($a = 1)\n#if($a == 1)\nx\n#else\ny\n#end\nz ## no\nw #* none *#v"), "x\nz w v");
    assert_eq!(gives("#[[ $a #if ]]#"), " $a #if ");
}

#[test]
fn methods_do_what_java_does() {
    for (template, text) in [
        ("#set($s = ' It''s a Test ')$s.trim().length()", "11"),
        ("#set($s = 'abc')$s.substring(1) $s.substring(0, 2) $s.indexOf('c') $s.indexOf('x')", "bc ab 2 -1"),
        ("#set($s = 'a.b.c')$s.replace('.', '-') $s.replaceAll('[a-b]', 'x') $s.split('[.]').size()", "a-b-c x.x.c 3"),
        (
            "#set($s = 'abc')$s.contains('b') $s.startsWith('b') $s.endsWith('c') $s.matches('a.*') $s.matches('a')",
            "true false true true false",
        ),
        ("#set($s = 'aB')$s.toLowerCase()$s.toUpperCase() $s.equals('aB') $s.isEmpty()", "abAB true false"),
        ("#set($s = '\u{1f600}')$s.length()", "2"),
        ("#set($l = [])#set($x = $l.add('a'))$l.isEmpty() $l.get(0) $l.contains('a')", "false a true"),
        ("#set($m = {})$!m.put('k', 'v')$m.containsKey('k') $m.size() $m.isEmpty()", "true 1 false"),
        ("$util.escapeJavaScript($input.params('q'))", "it\\'s \\\"so\\\""),
        ("$util.urlEncode('a b&c') $util.urlDecode('a+b%26')", "a+b%26c a b&"),
        ("$util.base64Encode('h\u{e9}') $util.base64Decode('aMOp')", "aMOp h\u{e9}"),
        ("$util.parseJson('{\"a\": [1]}').a[0]", "1"),
    ] {
        assert_eq!(gives(template), text, "{template}");
    }
}

#[test]
fn what_is_not_simulated_is_refused_by_name() {
    assert!(fails("a\n#macro(x)#end").contains("line 2 of the template: `#macro` is not simulated"));
    assert!(fails("#set($s = 'a')$s.codePointAt(0)").contains("codePointAt"));
    assert!(fails("$util.error('x')").contains("error"));
    for broken in ["#if(1)", "#end", "#if(", "#set($a)", "#set(1 = 2)", "#foreach($a $b)#end", "#set($a = 'x)"] {
        fails(broken);
    }
    assert!(fails("#set($s = 'a')$s.substring(2)").contains("substring"));
}

#[test]
fn a_body_that_is_no_json_is_its_senders_fault() {
    let input = Input { body: "{nope".to_owned(), ..Input::default() };
    let error = render("$input.json('$')", &input).expect_err("no JSON");
    assert!(error.bad_body && error.message.starts_with("Could not parse request body into json"), "{error}");
    assert_eq!(render("$input.body", &input).map(|it| it.text), Ok("{nope".to_owned()));
    let none = Input::default();
    assert_eq!(
        render("$input.body $input.json('$') $input.json('$.a')", &none).map(|it| it.text),
        Ok("{} {} \"\"".to_owned())
    );
}

#[test]
fn overrides_are_told() {
    let rendered = render(
        "#set($context.responseOverride.status = 404)#set($context.responseOverride.header.x-a = 'b')",
        &input(),
    )
    .expect("a template");
    assert_eq!(rendered.response_override, json!({ "header": { "x-a": "b" }, "status": 404 }));
}

#[test]
fn a_template_never_runs_away() {
    let grow = format!("#set($s = 'xxxxxxxxxxxxxxxx'){}", "#set($s = \"$s$s\")".repeat(40));
    assert!(fails(&grow).contains("too much text") || fails(&grow).contains("writes more than"), "{}", fails(&grow));
    fails("#set($l = [1])#set($x = $l.add($l))$l");
    fails("#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])#end#end#end");
    fails(&format!("#set($a = {}1{})", "(".repeat(500), ")".repeat(500)));
    fails(&"#if(1)".repeat(500));
    fails(&format!("#set($a = {}true)", "!".repeat(500)));
    fails(
        "#set($s = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')$s.matches('(?=(a+)+$)b(?!x)')$s.matches('(?=a)((a+)+)+\\1b')",
    );
}

#[test]
fn a_template_that_goes_over_a_large_payload_again_and_again_is_stopped() {
    let list = format!("[{}1]", "1,".repeat(200_000));
    let input = Input { body: list, ..Input::default() };
    let rounds =
        |work: &str| format!("#set($b = $input.body)#foreach($i in [1..1000])#foreach($j in [1..400]){work}#end#end");
    let began = std::time::Instant::now();
    for work in [
        "#set($x = $b.contains('y'))",
        "#set($x = $b.matches('(1,)*y'))",
        "#set($x = $b.substring(1).length())",
        "#set($x = $input.path('$..*'))",
        "#if($b == \"$b\")#end",
        "#set($c = $b)",
        "$!m.put($i, $j)#set($m = {'a': 1})#set($m[\"$i,$j\"] = $b)",
    ] {
        let error = render(&rounds(work), &input).expect_err(work).to_string();
        let stopped =
            ["takes too long", "too much text", "more than", "too large"].iter().any(|why| error.contains(why));
        assert!(stopped, "{work}: {error}");
    }
    assert!(began.elapsed().as_secs() < 90, "{:?}", began.elapsed());
}

#[test]
fn a_template_of_ordinary_size_has_room_for_its_work() {
    let items: Vec<_> = (0..900).map(|index| json!({ "id": index, "name": format!("name {index}") })).collect();
    let input = Input { body: json!({ "items": items }).to_string(), ..Input::default() };
    let template = "#set($all = $input.path('$.items'))#set($names = [])#foreach($item in $all)\
                    #set($x = $names.add($item.name.replaceAll(' ', '-')))#end$names.size()";
    assert_eq!(render(template, &input).map(|it| it.text), Ok("900".to_owned()));
}
