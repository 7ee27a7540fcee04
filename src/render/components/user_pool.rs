//! Cognito user pools and the apps that people sign in to.

use serde_json::{Value, json};

use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::expression::Expression;
use crate::render::ids::{user_pool_client_id, user_pool_id};
use crate::render::references::{Kind, References, no_grant};
use crate::spec::{Mfa, UserPool, UserPoolClient, escape};

/// Characters of the shortest password, unless the spec says.
const PASSWORD_LENGTH: u32 = 12;

/// User pools.
pub(super) const KIND: Kind = Kind {
    section: "user-pools",
    add: |assembly, references| {
        for (name, pool) in &references.spec().user_pools {
            add(assembly, references, name, pool);
        }
    },
    attribute: |references, name, attribute| {
        let id = user_pool_id(name);
        Some(match attribute {
            "" | "id" => Expression::reference(id),
            "arn" => Expression::attribute(id, "Arn"),
            "issuer" => Expression::attribute(id, "ProviderURL"),
            // The rules let nobody ask for the client of a pool that has several.
            "client" => {
                let client = references.spec().user_pools.get(name)?.clients.keys().next()?;
                Expression::reference(user_pool_client_id(name, client))
            }
            _ => return None,
        })
    },
    grant: no_grant,
};

fn add(assembly: &mut Assembly<'_>, references: &References<'_>, name: &str, pool: &UserPool) {
    let pointer = format!("/user-pools/{}", escape(name));
    let own_name = match &pool.name {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/name"))).map(|it| it.value()),
        None => Some(json!(format!("{}-{}-{name}", references.spec().name, references.options.stage))),
    };
    let domain = match &pool.domain {
        Some(text) => assembly.keep(references.text(text, &format!("{pointer}/domain"))).map(Some),
        None => Some(None),
    };
    let (Some(own_name), Some(domain)) = (own_name, domain) else { return };
    let id = user_pool_id(name);
    let sign_in = domain.as_ref().map(|domain| {
        let host = Expression::literal("https://").then(domain.clone()).text(".auth.");
        host.then(Expression::reference("AWS::Region")).text(".amazoncognito.com").value()
    });
    let mfa = match pool.mfa {
        Mfa::Off => Value::Null,
        Mfa::Optional => json!("OPTIONAL"),
        Mfa::Required => json!("ON"),
    };
    let data = PartialData::new(&pointer)
        .said("name", "name", own_name)
        .said("invited_only", "self-sign-up", !pool.self_sign_up)
        .said("password_length", "password-length", pool.password_length.unwrap_or(PASSWORD_LENGTH))
        .said("mfa", "mfa", mfa)
        .made("domain_id", format!("{id}Domain"))
        .said("domain", "domain", domain.map(|domain| domain.value()))
        .said("sign_in_url", "domain", sign_in)
        .made("sign_in_output_id", format!("{id}SignInUrl"))
        .made("output_id", format!("{id}Id"))
        .made("id", id);
    assembly.add("user-pool", data);
    for (client_name, client) in &pool.clients {
        add_client(assembly, name, client_name, client, &format!("{pointer}/clients/{}", escape(client_name)));
    }
}

fn add_client(assembly: &mut Assembly<'_>, pool: &str, name: &str, client: &UserPoolClient, pointer: &str) {
    let id = user_pool_client_id(pool, name);
    let mut flows = vec!["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"];
    if client.password_sign_in {
        flows.push("ALLOW_USER_PASSWORD_AUTH");
    }
    let data = PartialData::new(pointer)
        .made("pool_id", user_pool_id(pool))
        .made("name", name)
        .said("flows", "password-sign-in", flows)
        .said("callback_urls", "callback-urls", &client.callback_urls)
        .made("output_id", format!("{id}Id"))
        .made("id", id);
    assembly.add("user-pool-client", data);
}
