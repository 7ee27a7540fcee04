// A bucket and a function that uploads to it, as the course's code assistant suggests them, with the gaps closed: the
// function alone writes, nobody reads by a public address, and the log goes with the stack.
const fs = require('node:fs');
const path = require('node:path');
const cdk = require('aws-cdk-lib');
const { aws_iam: iam, aws_lambda: lambda, aws_logs: logs, aws_s3: s3 } = cdk;

// Without analytics the template has no AWS::CDK::Metadata, and without the bootstrap rule no parameter of CDK's own:
// what is left deploys anywhere.
const app = new cdk.App({ analyticsReporting: false, outdir: path.join(__dirname, 'cdk.out') });
const stack = new cdk.Stack(app, 'codegen-demo', {
  description: 'A function that keeps texts in a bucket',
  synthesizer: new cdk.DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
});

const uploads = new s3.Bucket(stack, 'Uploads', {
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  encryption: s3.BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  lifecycleRules: [{ expiration: cdk.Duration.days(7), abortIncompleteMultipartUploadAfter: cdk.Duration.days(1) }],
  removalPolicy: cdk.RemovalPolicy.DESTROY,
});

const log = new logs.LogGroup(stack, 'UploadLog', {
  retention: logs.RetentionDays.TWO_WEEKS,
  removalPolicy: cdk.RemovalPolicy.DESTROY,
});

// A role of its own: the one CDK makes by itself may write to every log group of the account.
const role = new iam.Role(stack, 'UploadRole', {
  description: 'Lets the upload function write to its bucket and its log',
  assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  inlinePolicies: {
    upload: new iam.PolicyDocument({
      statements: [
        new iam.PolicyStatement({ actions: ['s3:PutObject'], resources: [uploads.arnForObjects('uploads/*')] }),
        new iam.PolicyStatement({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [log.logGroupArn],
        }),
      ],
    }),
  },
});

const upload = new lambda.Function(stack, 'Upload', {
  description: 'Keeps a text in the bucket',
  // Inline, so that the template needs no assets.
  code: lambda.Code.fromInline(fs.readFileSync(path.join(__dirname, 'upload.py'), 'utf8')),
  handler: 'index.handler',
  runtime: lambda.Runtime.PYTHON_3_13,
  timeout: cdk.Duration.seconds(30),
  memorySize: 256,
  environment: { BUCKET: uploads.bucketName },
  logGroup: log,
  role,
});
// CDK waits for the role by name; that the function refers to it does already.
upload.node.defaultChild.addDeletionOverride('DependsOn');

new cdk.CfnOutput(stack, 'BucketName', { description: 'Name of the bucket', value: uploads.bucketName });
new cdk.CfnOutput(stack, 'FunctionName', { description: 'Name of the function', value: upload.functionName });

app.synth();
