// The same stack as stacks/movie-poster, written for the AWS CDK in plain JavaScript (no compile step to pay for).
const path = require('node:path');
const cdk = require('aws-cdk-lib');
const { aws_apigateway: apigateway, aws_iam: iam, aws_lambda: lambda, aws_logs: logs, aws_s3: s3 } = cdk;

const app = new cdk.App();
const stack = new cdk.Stack(app, 'movie-poster-dev', { env: { region: 'us-west-2' } });

const bucket = new s3.Bucket(stack, 'Posters', {
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  encryption: s3.BucketEncryption.S3_MANAGED,
  enforceSSL: true,
  lifecycleRules: [{ expiration: cdk.Duration.days(7), abortIncompleteMultipartUploadAfter: cdk.Duration.days(1) }],
  removalPolicy: cdk.RemovalPolicy.DESTROY,
});
const code = path.join(__dirname, '..', '..', 'stacks', 'movie-poster', 'function');
const layer = new lambda.LayerVersion(stack, 'Boto3', {
  code: lambda.Code.fromAsset(code),
  compatibleRuntimes: [lambda.Runtime.PYTHON_3_13],
});
const logGroup = new logs.LogGroup(stack, 'DesignLogs', { retention: 14, removalPolicy: cdk.RemovalPolicy.DESTROY });
const design = new lambda.Function(stack, 'Design', {
  functionName: 'moviePosterDesignFunction',
  code: lambda.Code.fromAsset(code),
  handler: 'app.handler',
  runtime: lambda.Runtime.PYTHON_3_13,
  timeout: cdk.Duration.seconds(60),
  layers: [layer],
  logGroup,
  environment: { BUCKET: bucket.bucketName, MODEL_ID: 'stability.stable-image-core-v1:1' },
});
bucket.grantReadWrite(design);
design.addToRolePolicy(new iam.PolicyStatement({
  actions: ['bedrock:InvokeModel'],
  resources: ['arn:aws:bedrock:us-west-2::foundation-model/stability.stable-image-core-v1:1'],
}));

const api = new apigateway.RestApi(stack, 'PostersApi', {
  restApiName: 'moviePosterDesignAPI',
  endpointTypes: [apigateway.EndpointType.REGIONAL],
  deployOptions: { stageName: 'dev' },
  cloudWatchRole: false,
});
api.root.addResource('moviePosterDesign').addMethod('GET', new apigateway.LambdaIntegration(design, {
  proxy: false,
  requestTemplates: { 'application/json': '{"prompt": "$util.escapeJavaScript($input.params(\'prompt\'))"}' },
  integrationResponses: [{ statusCode: '200' }, { statusCode: '500', selectionPattern: '.+' }],
}), {
  requestParameters: { 'method.request.querystring.prompt': true },
  requestValidatorOptions: { validateRequestParameters: true },
  methodResponses: [{ statusCode: '200' }, { statusCode: '500' }],
});
