# Leads calls of deployed APIs to the endpoint. An event tells the name AWS has for its API, and a handler posts to a
# connection there: `boto3.client("apigatewaymanagementapi", endpoint_url=f"https://{domain}/{stage}")`. No such name is at AWS
# for an API of the local target, or it is somebody else's; so what botocore sends there goes to the endpoint instead, with the
# name in `Host`. Runs before anything else of the function, and imports nothing that a module of it could stand in for.
import os
import sys


class ApisLeadHere:
    """Changes botocore's sending once it is imported, by whomever and whenever that is."""

    NAME = "botocore.httpsession"

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != cls.NAME:
            return None
        import importlib.util

        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            cls.change(module.URLLib3Session)

        spec.loader.exec_module = exec_module
        return spec

    @staticmethod
    def change(session):
        endpoint, send = os.environ.get("AWS_ENDPOINT_URL"), session.send

        def send_here(self, request):
            scheme, _, rest = request.url.partition("://")
            host, slash, tail = rest.partition("/")
            name = host.partition(":")[0].lower()
            of_aws = name.endswith((".amazonaws.com", ".amazonaws.com.cn"))
            if endpoint and scheme in ("https", "http") and of_aws and ".execute-api." in name:
                request.headers["Host"] = name
                request.url = endpoint + slash + tail
            return send(self, request)

        session.send = send_here


sys.meta_path.insert(0, ApisLeadHere)
