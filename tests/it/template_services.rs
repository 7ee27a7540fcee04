//! What CloudFormation and services refuse of templates made elsewhere, told by `check` at the template's line.

use crate::support::Project;

fn project(template: &str) -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template);
    project
}

/// The codes of the errors and warnings that `check` prints, in order, each once.
fn codes(template: &str) -> Vec<String> {
    let run = project(template).run(&["check", "x"]);
    let told = run.stdout.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning["));
    let mut codes: Vec<String> =
        told.filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned())).collect();
    codes.dedup();
    codes
}

fn told(template: &str) -> String {
    project(template).run(&["check", "x"]).stdout
}

const TOPIC: &str = "Resources: { T: { Type: AWS::SNS::Topic } }\n";

#[test]
fn parameters_are_held_to_what_cloudformation_holds_them_to() {
    for body in [
        "{ Type: String, Default: [x] }",
        "{ Type: CommaDelimitedList, Default: [x, y] }",
        "{ Type: String, Default: { Ref: 'AWS::Region' } }",
        "{ Type: String, AllowedValues: a }",
        "{ Type: String, AllowedValues: [{ a: 1 }] }",
        "{ Type: String, AllowedPattern: '[a-z' }",
        "{ Type: String, MinValue: 1 }",
        "{ Type: Number, MaxLength: 3 }",
        "{ Type: String, MinLength: many }",
        "{ Type: String, NoEcho: perhaps }",
        "{ Type: String, Description: [a] }",
        "{ Type: String, ConstraintDescription: { a: b } }",
    ] {
        assert_eq!(codes(&format!("Parameters: {{ P: {body} }}\n{TOPIC}")), ["T020"], "{body}");
    }
    for body in [
        "{ Type: String, Default: 7, NoEcho: 'true', MinLength: '1', AllowedPattern: '^[0-9]+$' }",
        "{ Type: Number, Default: '7', MinValue: 1, MaxValue: 9 }",
        "{ Type: CommaDelimitedList, Default: 'a,b' }",
        "{ Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b }",
    ] {
        assert_eq!(codes(&format!("Parameters: {{ P: {body} }}\n{TOPIC}")), [""; 0], "{body}");
    }
}

#[test]
fn mappings_and_outputs_are_held_to_what_cloudformation_holds_them_to() {
    for body in [
        "{ M: {} }",
        "{ M: { a: {} } }",
        "{ M: { a_b: { c: d } } }",
        "{ M: { a: { b-c: d } } }",
        "{ M: { a: { b: { c: d } } } }",
    ] {
        assert_eq!(codes(&format!("Mappings: {body}\n{TOPIC}")), ["T030"], "{body}");
    }
    assert_eq!(
        codes(&format!("Mappings: {{ M: {{ us-west-2: {{ ami1: a, list: [a, b] }}, 10.0: {{ x: 1 }} }} }}\n{TOPIC}")),
        [""; 0]
    );
    for body in ["{ Value: a, Condition: [b] }", "{ Value: a, Description: [b] }"] {
        assert_eq!(codes(&format!("{TOPIC}Outputs: {{ O: {body} }}\n")), ["T031"], "{body}");
    }
    let long = "x".repeat(1025);
    assert_eq!(codes(&format!("{TOPIC}Outputs: {{ O: {{ Value: a, Description: {long} }} }}\n")), ["L006"]);
}

#[test]
fn a_snapshot_is_taken_of_few_types_only() {
    let said =
        told("Resources: { B: { Type: AWS::S3::Bucket, DeletionPolicy: Snapshot, UpdateReplacePolicy: Snapshot } }\n");
    assert!(
        said.contains("Template error: resource type AWS::S3::Bucket does not support deletion policy Snapshot"),
        "{said}"
    );
    assert!(said.contains("does not support update replace policy Snapshot"), "{said}");
    let volume = "Resources: { V: { Type: AWS::EC2::Volume, DeletionPolicy: Snapshot, Properties: { AvailabilityZone: us-west-2a, Size: 1 } } }\n";
    assert_eq!(codes(volume), [""; 0]);
}

#[test]
fn policies_of_creation_and_update_have_the_keys_there_are() {
    let topic = |policies: &str| format!("Resources: {{ T: {{ Type: AWS::SNS::Topic, {policies} }} }}\n");
    assert_eq!(codes(&topic("UpdatePolicy: { Bogus: 1 }, CreationPolicy: { Bogus: 1 }")), ["T010"]);
    assert_eq!(codes(&topic("UpdatePolicy: text")), ["T010"]);
    assert_eq!(codes(&topic("CreationPolicy: !Ref AWS::Region")), ["T010"]);
    assert_eq!(codes(&topic("CreationPolicy: { ResourceSignal: { Count: 1 } }")), ["T011"]);
    let group = |policy: &str| {
        format!(
            "Resources:\n  G:\n    Type: AWS::AutoScaling::AutoScalingGroup\n    UpdatePolicy: {policy}\n    Properties: {{ MinSize: '1', \
             MaxSize: '1', AvailabilityZones: [us-west-2a], LaunchConfigurationName: l }}\n"
        )
    };
    let good =
        "{ AutoScalingRollingUpdate: { MinInstancesInService: '1', PauseTime: PT5M, SuspendProcesses: [Launch] } }";
    assert_eq!(codes(&group(good)), [""; 0]);
    assert_eq!(codes(&group("{ AutoScalingRollingUpdate: { MinInstances: 1 } }")), ["T010"]);
    assert_eq!(codes(&group("{ AutoScalingRollingUpdate: { SuspendProcesses: [Sleep] } }")), ["T010"]);
}

#[test]
fn a_reference_to_what_a_condition_leaves_out_is_told() {
    let template = |conditions: &str, user: &str| {
        format!(
            "Parameters: {{ Stage: {{ Type: String, AllowedValues: [dev, test, prod], Default: dev }} }}\nConditions:\n  Prod: !Equals [!Ref \
             Stage, prod]\n  NotDev: !Not [!Equals [!Ref Stage, dev]]\n{conditions}Resources:\n  T: {{ Type: AWS::SNS::Topic, Condition: Prod \
             }}\n  U:\n    Type: AWS::SNS::Topic\n{user}"
        )
    };
    let uses = |value: &str| format!("    Properties: {{ DisplayName: {value} }}\n");
    let under = |condition: &str| format!("    Condition: {condition}\n{}", uses("!Ref T"));
    assert_eq!(codes(&template("", &uses("!Ref T"))), ["T113"]);
    assert_eq!(codes(&template("", &uses("!GetAtt T.TopicName"))), ["T113"]);
    assert_eq!(codes(&template("", &uses("!Sub '${T.TopicName}-x'"))), ["T113"]);
    // Where the one holds the other need not.
    assert_eq!(codes(&template("", &under("NotDev"))), ["T113"]);
    assert_eq!(codes(&template("", &uses("!If [Prod, x, !Ref T]"))), ["T113"]);
    // The same condition, one that is no other, one that is narrower, and a branch.
    assert_eq!(codes(&template("", &under("Prod"))), [""; 0]);
    assert_eq!(
        codes(&template(
            "  Same: !Not [!Or [!Equals [!Ref Stage, dev], !Equals [!Ref Stage, test]]]\n",
            &under("Same")
        )),
        [""; 0]
    );
    assert_eq!(codes(&template("  Both: !And [!Condition Prod, !Condition NotDev]\n", &under("Both"))), [""; 0]);
    assert_eq!(codes(&template("", &uses("!If [Prod, !Ref T, x]"))), [""; 0]);
}

#[test]
fn two_resources_with_one_name_are_told_unless_they_never_meet() {
    let two = |type_: &str, name: &str, more: &str| {
        format!(
            "Resources:\n  A: {{ Type: {type_}, Properties: {{ {name}: same{more} }} }}\n  B: {{ Type: {type_}, Properties: {{ {name}: same{more} }} }}\n"
        )
    };
    assert_eq!(codes(&two("AWS::SQS::Queue", "QueueName", "")), ["T215"]);
    assert_eq!(codes(&two("AWS::Bedrock::Prompt", "Name", "")), ["T215"]);
    let said = told(&two("AWS::S3::Bucket", "BucketName", ""));
    assert!(said.contains("`B` has the same `BucketName` as `A`, `same`"), "{said}");
    // Topics may look alike.
    assert_eq!(codes(&two("AWS::SNS::Topic", "DisplayName", "")), [""; 0]);
    let guarded = "Conditions: { C: !Equals [!Ref AWS::Region, us-west-2], D: !Not [!Condition C] }\nResources:\n  A: { Type: AWS::SQS::Queue, \
                   Condition: C, Properties: { QueueName: same } }\n  B: { Type: AWS::SQS::Queue, Condition: D, Properties: { QueueName: same } }\n";
    assert_eq!(codes(guarded), [""; 0]);
    assert_eq!(codes(&guarded.replace("Condition: D", "Condition: C")), ["T215"]);
}

#[test]
fn functions_that_lambda_refuses_are_told() {
    let function = |properties: &str| {
        format!(
            "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {{ Role: 'arn:aws:iam::123456789012:role/r', {properties} }}\n"
        )
    };
    assert_eq!(codes(&function("Code: { ZipFile: x }, Runtime: nodejs4.3, Handler: index.h")), ["L110"]);
    assert_eq!(codes(&function("Code: { S3Bucket: bucket, S3Key: k }")), ["L112"]);
    assert_eq!(codes(&function("Code: { ImageUri: 'a/b' }, PackageType: Image")), [""; 0]);
    let environment = |variables: &str| {
        function(&format!(
            "Code: {{ S3Bucket: bucket, S3Key: k }}, Runtime: python3.13, Handler: a.b, Environment: {{ Variables: {variables} }}"
        ))
    };
    assert_eq!(codes(&environment("{ AWS_REGION: x }")), ["L113"]);
    assert_eq!(codes(&environment(&format!("{{ AB: {} }}", "x".repeat(4096)))), ["L113"]);
    assert_eq!(codes(&environment("{ REGION: !Ref AWS::Region }")), [""; 0]);
}

#[test]
fn a_bucket_notifies_what_lets_it() {
    let template = |more: &str, bucket: &str| {
        format!(
            "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {{ Role: 'arn:aws:iam::123456789012:role/r', Runtime: \
             python3.13, Handler: a.b, Code: {{ S3Bucket: bucket, S3Key: k }} }}\n{more}  B:\n    Type: AWS::S3::Bucket\n{bucket}    Properties: {{ \
             NotificationConfiguration: {{ LambdaConfigurations: [{{ Event: 's3:ObjectCreated:*', Function: !GetAtt F.Arn }}] }} }}\n"
        )
    };
    let permission = |principal: &str| {
        format!(
            "  P:\n    Type: AWS::Lambda::Permission\n    Properties: {{ Action: 'lambda:InvokeFunction', FunctionName: !Ref F, Principal: \
             {principal}, SourceAccount: !Ref AWS::AccountId }}\n"
        )
    };
    let s3 = permission("s3.amazonaws.com");
    assert_eq!(codes(&template("", "")), ["L128"]);
    assert_eq!(codes(&template(&permission("events.amazonaws.com"), "")), ["L128"]);
    assert_eq!(codes(&template(&s3, "")), ["L129"]);
    assert_eq!(codes(&template(&s3, "    DependsOn: P\n")), [""; 0]);
}

/// A use case with one Python function of this code.
fn with_code(handler: &str, runtime: &str, files: &[(&str, &str)]) -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let function = format!("{{ code: function/, handler: {handler}, runtime: {runtime} }}");
    project.write("stacks/x/usecase.yaml", format!("bedplate: 1\nname: x\nfunctions:\n  f: {function}\n"));
    for (name, text) in files {
        project.write(&format!("stacks/x/function/{name}"), text);
    }
    project
}

#[test]
fn python_code_is_parsed_and_its_handler_looked_for() {
    let good = "import os\n\ndef handler(event, context):\n    return f'{event}'\n";
    let told =
        |handler: &str, files: &[(&str, &str)]| with_code(handler, "python3.10", files).run(&["check", "x"]).stdout;
    let clean = told("app.handler", &[("app.py", good)]);
    assert!(!clean.contains("A04"), "{clean}");
    let broken = told("app.handler", &[("app.py", "import os\n\ndef handler(event, context)\n    return 1\n")]);
    assert!(broken.contains("error[A041]") && broken.contains("stacks/x/function/app.py:3:"), "{broken}");
    let beside = told("app.handler", &[("app.py", good), ("lib/other.py", "class :\n")]);
    assert!(beside.contains("warning[A041]") && beside.contains("stacks/x/function/lib/other.py:1:"), "{beside}");
    let named = told("app.handler", &[("app.py", "def handel(event, context): pass\n")]);
    assert!(named.contains("error[A042]") && named.contains("did you mean `handel`?"), "{named}");
    // Whatever defines a name at the top of a module does.
    for text in [
        "from lib import handler\n",
        "from lib import *\n",
        "import lib\nhandler = lib.main\n",
        "try:\n    import fast as handler\nexcept ImportError:\n    handler = None\n",
        "class handler:\n    pass\n",
        "globals()['handler'] = print\n",
        "if True:\n    async def handler(event, context): pass\n",
        "(other, [handler, *more]) = f()\n",
    ] {
        let said = told("app.handler", &[("app.py", text), ("lib.py", good)]);
        assert!(!said.contains("A04"), "{text}: {said}");
    }
    // Names inside of functions and classes are no names of the module.
    let inner = told("app.handler", &[("app.py", "def main():\n    def handler(e, c): pass\n    handler = 1\n")]);
    assert!(inner.contains("error[A042]"), "{inner}");
}

#[test]
fn code_that_python_chokes_on_harms_nobody() {
    let deep = format!("handler = {}1{}\n", "(".repeat(5_000), ")".repeat(5_000));
    let long = format!("handler = {}\n", "1+".repeat(100_000) + "1");
    for text in [deep.as_str(), long.as_str(), "handler = '\0'\n", "\u{feff}def handler(e, c): pass\n", ""] {
        let started = std::time::Instant::now();
        let run = with_code("app.handler", "python3.10", &[("app.py", text)]).run(&["check", "x"]);
        assert!(run.code <= 1 && started.elapsed().as_secs() < 20, "{}", run.session());
    }
}

#[test]
fn without_a_python_nothing_is_parsed_and_that_is_told() {
    let project = with_code("app.handler", "python3.13", &[("app.py", "def handler(")]);
    let run = project.run_with(&["check", "x"], &[("PATH", "/nowhere"), ("BEDPLATE_PYTHON", "")]);
    assert!(run.code == 0 && run.stdout.contains("note[A043]"), "{}", run.session());
}

#[test]
fn nothing_of_the_code_is_run() {
    let project = with_code("app.handler", "python3.10", &[]);
    let trace = project.path().join("trace");
    let text = format!("open({:?}, 'w').write('x')\ndef handler(e, c): pass\n", trace.display().to_string());
    project.write("stacks/x/function/app.py", &text);
    // Modules of these names would be imported by a Python that looks where the code is.
    for name in ["json.py", "ast.py", "sitecustomize.py", "usercustomize.py"] {
        project.write(&format!("stacks/x/function/{name}"), &text);
    }
    let run = project.run(&["check", "x"]);
    assert!(run.code == 0 && !trace.exists(), "{}", run.session());
}
