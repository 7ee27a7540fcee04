//! Templates made elsewhere: what CloudFormation takes is not refused, and what it refuses is, at its own line.

use crate::support::Project;

/// What `check` says of a template: its errors and warnings, notes left out.
fn checked(template: &str) -> String {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template);
    let run = project.run(&["check", "x"]);
    let told = run.stdout.lines().filter(|line| line.starts_with("error[") || line.starts_with("warning["));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn keys_of_sections_are_held_to_no_more_than_cloudformation_holds_them_to() {
    assert_eq!(
        checked(
            "Metadata:\n  AWS::CloudFormation::Interface: { ParameterGroups: [] }\n  any key: 1\nParameters: { P1: { Type: String, \
             Default: a } }\nConditions: { 'A&B': !Equals [!Ref P1, b] }\nMappings: { by.region: { us-west-2: { x: y } } \
             }\nResources: { T: { Type: AWS::SNS::Topic, Condition: 'A&B' } }\n"
        ),
        ""
    );
    // What it does hold to letters and digits, and what is no resource, is told at the template's line.
    for (body, line) in [
        ("  my-topic:\n    Type: AWS::SNS::Topic\n", 2),
        ("  T: { Type: AWS::SNS::Topic }\n  Untyped:\n    Properties: {}\n", 3),
    ] {
        let project = Project::empty();
        project.write("bedplate.yaml", "");
        project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\ntemplate: template.yaml\n");
        project.write("stacks/x/template.yaml", format!("Resources:\n{body}"));
        let run = project.run(&["check", "x"]);
        assert!(run.code == 1 && run.stdout.contains(&format!("stacks/x/template.yaml:{line}:3")), "{}", run.session());
    }
}

#[test]
fn loops_stand_wherever_the_transform_allows_them() {
    let template = "Transform: AWS::LanguageExtensions\nConditions:\n  Fn::ForEach::Cs: [C, [Red, Blue], { 'Is${C}': !Equals [!Ref \
                    AWS::Region, !Ref C] }]\nResources:\n  Fn::ForEach::Topics:\n    - Name\n    - [Red, Blue]\n    - Topic${Name}:\n        \
                    Type: AWS::SNS::Topic\n        Properties: { DisplayName: !Ref Name }\nOutputs:\n  Fn::ForEach::Names: [N, [Red, Blue], { \
                    'Out${N}': { Value: !Ref N } }]\n";
    assert_eq!(checked(template), "");
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template);
    let run = project.run(&["deploy", "x", "--yes"]).ok();
    assert!(run.stdout.contains("OutRed = Red") && run.stderr.contains("TopicBlue"), "{}", run.session());
    let _ = project.run(&["destroy", "x", "--yes"]).ok();
}

#[test]
fn a_default_that_does_not_fit_is_a_warning_and_none_where_a_condition_guards_it() {
    let ingress = |condition: &str| {
        format!(
            "Parameters: {{ Port: {{ Type: String, Default: '' }} }}\nConditions: {{ HasPort: !Not [!Equals [!Ref Port, '']] }}\nResources:\n  \
             T: {{ Type: AWS::SNS::Topic }}\n  I:\n    Type: AWS::EC2::SecurityGroupIngress\n{condition}    Properties: {{ GroupId: sg-12345678, \
             IpProtocol: tcp, CidrIp: 10.0.0.0/8, FromPort: !Ref Port, ToPort: 80 }}\n"
        )
    };
    assert_eq!(checked(&ingress("    Condition: HasPort\n")), "");
    let told = checked(&ingress(""));
    assert!(
        told.starts_with("warning[T214]: `FromPort` takes the parameter `Port`, whose default")
            && told.lines().count() == 1,
        "{told}"
    );
    // No value that it allows fits: nothing can be given.
    let told = checked(
        "Parameters: { Days: { Type: Number, AllowedValues: [2, 4] } }\nResources: { L: { Type: AWS::Logs::LogGroup, Properties: { \
         RetentionInDays: !Ref Days } } }\n",
    );
    assert!(told.starts_with("error[T205]"), "{told}");
}

#[test]
fn a_policy_may_be_json_text_and_an_endpoint_may_have_the_policy_it_has_by_default() {
    let role = |text: &str| {
        format!(
            "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: '{text}'\n"
        )
    };
    let trust = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
        )
    };
    assert_eq!(checked(&role(&trust(r#"{"Service":"lambda.amazonaws.com"}"#))), "");
    assert!(checked(&role(&trust("\"*\""))).contains("I006"), "a text is read, not passed over");
    assert!(checked(&role("not a policy")).contains("I007"));
    assert_eq!(
        checked(
            "Resources:\n  V: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }\n  E:\n    Type: AWS::EC2::VPCEndpoint\n    \
             Properties:\n      VpcId: !Ref V\n      ServiceName: !Sub com.amazonaws.${AWS::Region}.dynamodb\n      PolicyDocument: { Version: \
             '2012-10-17', Statement: [{ Effect: Allow, Action: '*', Principal: '*', Resource: '*' }] }\n"
        ),
        ""
    );
}

/// CloudFormation takes functions for both policies, with the transform and without: its user guide ("Intrinsic function
/// references in DeletionPolicy and UpdateReplacePolicy attributes") and a stack recorded on AWS by LocalStack on 2026-01-23.
#[test]
fn a_policy_of_a_resource_is_what_its_condition_says() {
    let template = |transform: &str, policy: &str| {
        format!(
            "{transform}Parameters: {{ Stage: {{ Type: String, Default: test }}, Policy: {{ Type: String, Default: Retain }} }}\nConditions: \
             {{ Kept: !Equals [!Ref Stage, live] }}\nResources:\n  B: {{ Type: AWS::S3::Bucket, DeletionPolicy: {policy}, UpdateReplacePolicy: \
             {policy} }}\n  T: {{ Type: AWS::SNS::Topic }}\n"
        )
    };
    for transform in ["", "Transform: AWS::LanguageExtensions\n"] {
        assert_eq!(checked(&template(transform, "!If [Kept, Retain, Delete]")), "");
        assert_eq!(checked(&template(transform, "!Ref Policy")), "");
        let told = checked(&template(transform, "!If [Kept, Retain, Drop]"));
        assert!(told.starts_with("error[T008]") && told.contains("`Drop`"), "{told}");
        let told = checked(&template(transform, "!Ref Stage"));
        assert!(told.starts_with("warning[T214]") && told.contains("`test`"), "{told}");
        assert!(checked(&template(transform, "!If [Gone, Retain, Delete]")).contains("T103"));
        assert!(checked(&template(transform, "{ A: b }")).contains("T008"));
    }
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template("", "!If [Kept, Retain, Delete]"));
    let _ = project.run(&["deploy", "x", "--yes", "--parameter", "Stage=live"]).ok();
    // What was kept and no longer is, is data lost to whoever decides.
    let plan = project.run(&["plan", "x", "--parameter", "Stage=test"]).ok();
    assert!(plan.stdout.contains("`DeletionPolicy` is no longer `Retain`"), "{}", plan.session());
    let gone = project.run(&["destroy", "x", "--yes"]);
    assert!(gone.stderr.contains("stays in the account, no longer managed"), "{}", gone.session());
    assert!(!gone.stderr.contains("nothing of it remains"), "{}", gone.session());
    // And the other way: nothing of it remains.
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: y\nregion: us-west-2\ntemplate: template.yaml\n");
    let _ = project.run(&["deploy", "x", "--yes"]).ok();
    let gone = project.run(&["destroy", "x", "--yes"]).ok();
    assert!(gone.stderr.contains("nothing of it remains"), "{}", gone.session());
    // A text that is no policy is refused before anything is made.
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: z\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template("", "!Ref Stage"));
    let run = project.run(&["deploy", "x", "--yes"]);
    assert!(run.code == 1 && run.stderr.contains("must be one of"), "{}", run.session());
}

#[test]
fn an_empty_text_is_no_policy_of_an_api() {
    let api = |kind: &str, policy: &str| {
        format!(
            "Resources:\n  A:\n    Type: AWS::ApiGateway::RestApi\n    Properties:\n      Name: a\n      EndpointConfiguration: {{ Types: \
             [{kind}] }}\n      Policy: {policy}\n"
        )
    };
    assert_eq!(checked(&api("EDGE", "''")), "");
    assert!(
        checked(&api("EDGE", "some text")).contains("error[I007]: this is not a policy document: a policy document is")
    );
    // What only says what is so without it opens nothing; in front of a private API it does.
    let everyone = "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: '*' }] }";
    assert_eq!(checked(&api("REGIONAL", everyone)).matches("I006").count(), 0);
    assert_eq!(checked(&api("PRIVATE", everyone)).matches("error[I006]").count(), 1);
    let guarded = "{ Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: \
                   'execute-api:/*' }, { Effect: Deny, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*', \
                   Condition: { StringNotEquals: { 'aws:SourceVpc': vpc-1 } } }] }";
    assert_eq!(checked(&api("PRIVATE", guarded)), "");
}

#[test]
fn what_is_public_on_purpose_is_accepted_with_a_reason() {
    let template = "Resources:\n  Site: { Type: AWS::S3::Bucket, DeletionPolicy: Delete, UpdateReplacePolicy: Delete, Properties: { \
                    PublicAccessBlockConfiguration: { BlockPublicPolicy: false, RestrictPublicBuckets: false } } }\n  Open:\n    Type: \
                    AWS::S3::BucketPolicy\n    Properties:\n      Bucket: !Ref Site\n      PolicyDocument:\n        Version: \
                    '2012-10-17'\n        Statement:\n          - { Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub \
                    '${Site.Arn}/*' }\n";
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/template.yaml", template);
    let mut spec = "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n".to_owned();
    project.write("stacks/x/usecase.yaml", &spec);
    let run = project.run(&["check", "x"]);
    assert!(run.code == 1 && run.stdout.contains("error[I006]"), "{}", run.session());
    assert!(run.stdout.contains("stacks/x/template.yaml:10:"), "at its line: {}", run.session());
    spec.push_str("accept:\n  - { finding: I006, resource: Open, reason: a site for everyone }\n");
    project.write("stacks/x/usecase.yaml", &spec);
    let run = project.run(&["check", "x"]).ok();
    assert!(
        run.stdout.contains("note[I006]") && run.stdout.contains("accepted: a site for everyone"),
        "{}",
        run.session()
    );
    // It is still asked for when it comes to be.
    let _ = project.run(&["deploy", "x", "--yes"]).ok();
    project.write("stacks/x/template.yaml", template.replace("s3:GetObject", "s3:GetObject*"));
    let plan = project.run(&["deploy", "x", "--yes"]);
    assert!(plan.code == 4 && plan.stderr.contains("public"), "{}", plan.session());
    let _ = project.run(&["destroy", "x", "--yes"]).ok();
    for (accept, told) in [
        ("{ finding: I006, resource: Site, reason: none }", "warning[R190]"),
        ("{ finding: T202, resource: Site, reason: none }", "error[S290]"),
        ("{ finding: I006, resource: Open }", "error[S011]"),
        ("{ finding: I006, resource: Open, reason: ' ' }", "error[S290]"),
    ] {
        let spec = format!("bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\naccept:\n  - {accept}\n");
        project.write("stacks/x/usecase.yaml", spec);
        let run = project.run(&["check", "x"]);
        assert!(run.stdout.contains(told), "{accept}: {}", run.session());
    }
}

#[test]
fn a_template_of_sam_is_known_for_one_and_goes_to_aws_as_it_is() {
    // Sections, attributes, the graph and what resources become are SAM's: the API needs the function and the function the API.
    let template = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\nGlobals: { Function: { Timeout: 10 } }\nResources:\n  \
                    Hello:\n    Type: AWS::Serverless::Function\n    Connectors: { T: { Properties: { Destination: { Id: T }, Permissions: \
                    [Write] } } }\n    Properties:\n      Runtime: python3.13\n      Handler: index.handler\n      InlineCode: 'def handler(e, c): \
                    return 1'\n      Events: { Get: { Type: Api, Properties: { Path: /, Method: get, RestApiId: !Ref Api } } }\n  Api:\n    Type: \
                    AWS::Serverless::Api\n    Properties: { StageName: live, DefinitionBody: { openapi: 3.0.1, x: !GetAtt Hello.Arn } }\n  T: { Type: \
                    AWS::SNS::Topic }\nOutputs:\n  Role: { Value: !GetAtt HelloRole.Arn }\n  Stage: { Value: !Ref Api.Stage }\n";
    assert_eq!(checked(template), "");
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/x/usecase.yaml", "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: template.yaml\n");
    project.write("stacks/x/template.yaml", template);
    let run = project.run(&["check", "x"]).ok();
    assert_eq!(run.stdout.matches("note[T290]").count(), 1, "{}", run.session());
    let run = project.run(&["deploy", "x", "--yes"]);
    assert!(
        run.code == 1 && run.stderr.contains("error[D190]") && !run.stderr.contains("CREATE_"),
        "{}",
        run.session()
    );
    // What is wrong with the rest is still told, and so are sections of a template that is not SAM's.
    assert!(checked(&template.replace("AWS::SNS::Topic", "AWS::SNS::Topik")).contains("T200"));
    let told = checked("Globals: { A: b }\nResources: { T: { Type: AWS::SNS::Topic } }\n");
    assert!(told.starts_with("error[T003]"), "{told}");
}

#[test]
fn one_finding_hides_no_other() {
    let told = checked(
        "Parameters: { P: text }\nResources:\n  Untyped: { Properties: { A: b } }\n  Listed: [a]\n  Q: { Type: AWS::SQS::Queue, Properties: { \
         QueueNam: x } }\n  T: { Type: AWS::SNS::Topic, Properties: text }\n  F: { Type: AWS::SNS::Topic, Properties: { DisplayName: !Ref \
         Untyped, TopicName: !Ref Nowhere } }\nSurplus: 1\n",
    );
    for code in ["T002", "T006", "T008", "T202", "T003"] {
        assert!(told.contains(&format!("error[{code}]")), "{code}: {told}");
    }
    assert_eq!(told.matches("T101").count(), 1, "only what is nowhere: {told}");
    // A loop that cannot be written out, and a queue that is wrong.
    let told = checked(
        "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::T: [N, !GetAtt Q.Arn, { 'T${N}': { Type: AWS::SNS::Topic } }]\n  Q: { \
         Type: AWS::SQS::Queue, Properties: { QueueNam: x } }\n",
    );
    assert!(told.contains("T112") && told.contains("T202"), "{told}");
}

#[test]
fn an_output_of_another_stack_is_taken() {
    let topic = |argument: &str| {
        format!("Resources:\n  T: {{ Type: AWS::SNS::Topic, Properties: {{ DisplayName: {argument} }} }}\n")
    };
    assert_eq!(checked(&topic("!GetStackOutput { StackName: other, OutputName: Name, Region: us-west-2 }")), "");
    assert!(checked(&topic("!GetStackOutput { StackName: other }")).contains("T100"));
}

/// The properties are those of `schemas/packaging.json`.
#[test]
fn what_a_template_names_locally_is_packaged_with_it() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let spec = "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: cfn/parent.yaml\nsmoke:\n  - invoke: resources.Top\n    expect: { body: { \
                contains: top } }\n";
    project.write("stacks/x/usecase.yaml", spec);
    let role = "AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, \
                Action: 'sts:AssumeRole' }] }";
    let function = |code: &str| {
        format!(
            "Type: AWS::Lambda::Function\n    Properties: {{ Runtime: python3.13, Handler: app.handler, Role: !GetAtt R.Arn, Code: {code} }}\n"
        )
    };
    let role = format!("  R:\n    Type: AWS::IAM::Role\n    Properties: {{ {role} }}\n");
    let parent = format!(
        "Resources:\n  Child: {{ Type: AWS::CloudFormation::Stack, Properties: {{ TemplateURL: nested/child.yaml, Parameters: {{ Name: ada }} }} \
         }}\n  Top:\n    {}{role}  I:\n    Type: AWS::SNS::Topic\n    Properties:\n      Fn::Transform: {{ Name: AWS::Include, Parameters: {{ \
         Location: topic.yaml }} }}\nOutputs:\n  Fn: {{ Value: !GetAtt Child.Outputs.Fn }}\n",
        function("top.d/app.py")
    );
    let child = format!(
        "Parameters: {{ Name: {{ Type: String }}, ArtifactBucket: {{ Type: String, Default: mine }} }}\nResources:\n  F:\n    {}{role}Outputs:\n  \
         Fn: {{ Value: !Ref F }}\n",
        function("../code")
    );
    project.write("stacks/x/cfn/parent.yaml", &parent);
    project.write("stacks/x/cfn/topic.yaml", "DisplayName: included\n");
    project.write("stacks/x/cfn/nested/child.yaml", &child);
    project.write("stacks/x/cfn/code/app.py", "def handler(event, context):\n    return 'child'\n");
    project.write("stacks/x/cfn/top.d/app.py", "def handler(event, context):\n    return 'top'\n");
    assert_eq!(errors(&project), "");
    let run = project.run(&["deploy", "x", "--yes"]).ok();
    assert!(
        run.stdout.contains("Fn = x-dev-Child") && run.stderr.contains("1 of 1 smoke test passed"),
        "{}",
        run.session()
    );
    // Nothing has changed; then only the code of the child does.
    let run = project.run(&["deploy", "x", "--yes"]).ok();
    assert!(run.stderr.contains("is up to date"), "{}", run.session());
    let run = project.run(&["destroy", "x", "--yes"]).ok();
    // A function that was called has left a log group, outside of the stack.
    assert!(run.stderr.contains("destroyed x-dev"), "{}", run.session());
    // What is wrong in a nested template stands at its own lines; what is not there, and outside, is not packaged.
    project.write("stacks/x/cfn/nested/child.yaml", child.replace("Handler:", "Handle:"));
    let run = project.run(&["check", "x"]);
    assert!(run.code == 1 && run.stdout.contains("stacks/x/cfn/nested/child.yaml:5:"), "{}", run.session());
    for (path, code) in [
        ("nowhere", "error[T291]"),
        ("../../../../outside", "error[T29"),
        ("/etc/passwd", "error[T292]"),
        ("parent.yaml", "error[T292]"),
    ] {
        project.write("stacks/x/cfn/parent.yaml", parent.replace("nested/child.yaml", path));
        let told = errors(&project);
        assert!(told.contains(code), "{path}: {told}");
    }
    project.write("stacks/x/cfn/parent.yaml", parent.replace("top.d/app.py", "../../../../../../etc"));
    assert!(errors(&project).contains("error[T292]"));
    project.write("stacks/x/cfn/parent.yaml", parent.replace("topic.yaml", "none.yaml"));
    assert!(errors(&project).contains("error[T291]"));
}

/// The errors of the use case `x` of a project.
fn errors(project: &Project) -> String {
    let run = project.run(&["check", "x"]);
    run.stdout.lines().filter(|line| line.starts_with("error[")).collect::<Vec<_>>().join("\n")
}

/// The form of manifests is that of `cdk synth` (aws-cdk-lib 2, cloud assembly schema).
#[test]
fn a_cloud_assembly_is_deployed_with_its_assets() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let spec = "bedplate: 1\nname: x\nregion: us-west-2\ntemplate: { assembly: cdk.out }\nsmoke:\n  - invoke: resources.Fn\n    expect: { \
                body: { contains: assembled } }\n";
    project.write("stacks/x/usecase.yaml", spec);
    let key = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
    let bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}";
    let role = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let function = format!(
        r#"{{"Type":"AWS::Lambda::Function","Properties":{{"Runtime":"python3.13","Handler":"index.handler","Role":{{"Fn::GetAtt":["R","Arn"]}},"Code":{{"S3Bucket":{{"Fn::Sub":"{bucket}"}},"S3Key":"{key}.zip"}},"Environment":{{"Variables":{{"ASSET":{{"Fn::Join":["",["s3://",{{"Fn::Sub":"{bucket}"}},"/{key}.zip"]]}}}}}}}}}}"#
    );
    let template = format!(
        r#"{{"Parameters":{{"BootstrapVersion":{{"Type":"AWS::SSM::Parameter::Value<String>","Default":"/cdk-bootstrap/hnb659fds/version"}}}},"Rules":{{"CheckBootstrapVersion":{{"Assertions":[{{"Assert":{{"Fn::Not":[{{"Fn::Contains":[["1"],{{"Ref":"BootstrapVersion"}}]}}]}},"AssertDescription":"old"}}]}}}},"Resources":{{"R":{{"Type":"AWS::IAM::Role","Properties":{{"AssumeRolePolicyDocument":{role}}}}},"Fn":{function}}}}}"#
    );
    let assets = |images: &str| {
        format!(
            r#"{{"version":"48.0.0","files":{{"{key}":{{"source":{{"path":"asset.{key}","packaging":"zip"}},"destinations":{{"current_account-current_region":{{"bucketName":"{bucket}","objectKey":"{key}.zip"}}}}}}}},"dockerImages":{images}}}"#
        )
    };
    let manifest = r#"{"version":"48.0.0","artifacts":{
        "S.assets":{"type":"cdk:asset-manifest","properties":{"file":"S.assets.json"}},
        "S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.template.json"},"dependencies":["S.assets"]}}}"#;
    project.write("stacks/x/cdk.out/manifest.json", manifest);
    project.write("stacks/x/cdk.out/S.assets.json", assets("{}"));
    project.write("stacks/x/cdk.out/S.template.json", &template);
    project.write(
        &format!("stacks/x/cdk.out/asset.{key}/index.py"),
        "def handler(event, context):\n    return 'assembled'\n",
    );
    assert_eq!(errors(&project), "");
    let run = project.run(&["deploy", "x", "--yes"]).ok();
    assert!(run.stderr.contains("1 of 1 smoke test passed"), "{}", run.session());
    let _ = project.run(&["destroy", "x", "--yes"]).ok();
    // Two stacks want a choice, images are not built, and nothing outside of the assembly is read.
    let two = manifest.replace(
        r#""S":{"#,
        r#""T":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.template.json"}},"S":{"#,
    );
    project.write("stacks/x/cdk.out/manifest.json", &two);
    assert!(errors(&project).contains("error[R145]: `cdk.out` holds 2 stacks"));
    project.write("stacks/x/usecase.yaml", spec.replace("cdk.out }", "cdk.out, stack: S }"));
    assert_eq!(errors(&project), "");
    project.write("stacks/x/usecase.yaml", spec.replace("cdk.out }", "cdk.out, stack: V }"));
    assert!(errors(&project).contains("holds no stack `V`"));
    project.write("stacks/x/usecase.yaml", spec);
    project.write("stacks/x/secret.json", &template);
    for (file, text, told) in [
        ("S.assets.json", assets(r#"{"image1":{}}"#), "images are not built"),
        ("S.assets.json", assets("{}").replace(&format!("asset.{key}"), "../../../bedplate.yaml"), "error[T292]"),
        ("manifest.json", manifest.replace("S.template.json", "../secret.json"), "error[R145]"),
        ("manifest.json", manifest.replace("S.template.json", "none.json"), "error[R145]"),
        ("manifest.json", "{".to_owned(), "is not JSON"),
        ("manifest.json", "[]".to_owned(), "holds no stack"),
    ] {
        project.write("stacks/x/cdk.out/manifest.json", manifest);
        project.write("stacks/x/cdk.out/S.assets.json", assets("{}"));
        project.write(&format!("stacks/x/cdk.out/{file}"), &text);
        let said = errors(&project);
        assert!(said.contains(told), "{file} {told}: {said}");
    }
    // Nested templates that name each other, and themselves, come to an end.
    let keys: Vec<String> = (0..30).map(|n| format!("{n:064x}.json")).collect();
    let nested: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(n, key)| {
            format!(
                r#""N{n}":{{"Type":"AWS::CloudFormation::Stack","Properties":{{"TemplateURL":{{"Fn::Sub":"https://s3.amazonaws.com/{bucket}/{key}"}}}}}}"#
            )
        })
        .collect();
    let each: Vec<String> = keys
        .iter()
        .map(|key| {
            format!(
                r#""{key}":{{"source":{{"path":"N.nested.template.json","packaging":"file"}},"destinations":{{"d":{{"bucketName":"{bucket}","objectKey":"{key}"}}}}}}"#
            )
        })
        .collect();
    let all = format!(r#"{{"Resources":{{{}}}}}"#, nested.join(","));
    project.write("stacks/x/cdk.out/manifest.json", manifest);
    project.write("stacks/x/cdk.out/N.nested.template.json", &all);
    project.write("stacks/x/cdk.out/S.template.json", &all);
    project.write("stacks/x/cdk.out/S.assets.json", format!(r#"{{"files":{{{}}}}}"#, each.join(",")));
    let started = std::time::Instant::now();
    assert!(errors(&project).contains("error[T292]"));
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    project.write("stacks/x/usecase.yaml", spec.replace("cdk.out }", "../../.. }"));
    assert!(errors(&project).contains("error[R145]"));
}

/// PyYAML 6 reads both texts so; the words are those that it gives.
#[test]
fn a_text_in_quotes_may_go_on_at_the_depth_of_its_key() {
    let template = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: \"a text that goes \\\"on\\\"\n      in \
                    the next line\n\n      and after a blank one\"\n  Other:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: 'it''s\n  \
                    the second'\n";
    assert_eq!(checked(template), "");
    let read = bedplate::yaml::parse_cloudformation(template).expect("a document").value;
    let name = |id: &str| read.pointer(&format!("/Resources/{id}/Properties/DisplayName")).cloned();
    assert_eq!(name("Topic"), Some("a text that goes \"on\" in the next line\nand after a blank one".into()));
    assert_eq!(name("Other"), Some("it's the second".into()));
    // The same of brackets.
    let brackets = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      Tags: [{\n    Key: a, Value: b\n  }, {\n\"Key\": c,\n \
                    Value: d\n}]\n  Other: { Type: AWS::SNS::Topic }\n";
    assert_eq!(checked(brackets), "");
    let read = bedplate::yaml::parse_cloudformation(brackets).expect("a document").value;
    assert_eq!(read.pointer("/Resources/Topic/Properties/Tags/1/Value"), Some(&"d".into()));
    assert!(bedplate::yaml::parse_cloudformation("a: b\n}\n").is_err());
    assert!(bedplate::yaml::parse_cloudformation("a:\n  b: c\n d: e\n").is_err());
    // A quote that is not closed is still told where it begins, and in a spec of our own it is in both cases.
    let open = bedplate::yaml::parse_cloudformation("a:\n  b: \"never\n  c: closed\n").expect_err("no document");
    assert_eq!((open.line, open.column), (2, 6), "{open}");
    assert!(bedplate::yaml::parse(template).is_err());
}
