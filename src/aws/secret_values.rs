//! Values that AWS keeps and no template holds: secrets and API keys. They are read to be sent on, and never told.

use http::Method;
use serde_json::{Value, json};

use super::answers::{object, refused};
use super::clients::Clients;

impl Clients {
    /// The value of a secret in Secrets Manager: its text.
    ///
    /// # Errors
    /// In words, when it cannot be read or is no text.
    pub async fn secret_value(&self, arn: &str) -> Result<String, String> {
        let headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), "secretsmanager.GetSecretValue".to_owned()),
        ];
        let body = json!({ "SecretId": arn }).to_string().into_bytes();
        let answer = self.ask_service("secretsmanager", "secretsmanager", Method::POST, "/", headers, body).await?;
        if answer.status >= 300 {
            return Err(refused("Secrets Manager", &answer));
        }
        let text = object(&answer)?.remove("SecretString");
        text.as_ref().and_then(Value::as_str).map(str::to_owned).ok_or_else(|| "the secret is not text".to_owned())
    }

    /// The value of an API key of API Gateway.
    ///
    /// # Errors
    /// In words, when it cannot be read.
    pub async fn api_key_value(&self, id: &str) -> Result<String, String> {
        // An id is letters and digits: nothing in it needs encoding.
        let path = format!("/apikeys/{id}?includeValue=true");
        let headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let answer = self.ask_service("apigateway", "apigateway", Method::GET, &path, headers, Vec::new()).await?;
        if answer.status >= 300 {
            return Err(refused("API Gateway", &answer));
        }
        let value = object(&answer)?.remove("value");
        value.as_ref().and_then(Value::as_str).map(str::to_owned).ok_or_else(|| "the API key has no value".to_owned())
    }
}
