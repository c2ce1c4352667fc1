"""What `waybill check` watches of the directory's tables, column by column."""

from __future__ import annotations

from libs.db.watched import AUDIT as AUDIT_WATCH
from libs.db.watched import CHANGE_FEED, Free, Register, Watch, all_by, all_free, by
from libs.db.watched import CHANGES as CHANGES_WATCH
from libs.db.watched import DELETED as DELETED_WATCH
from libs.db.watched import REQUESTS as REQUESTS_WATCH
from services.directory.adapters.db import tables

_SAID = "what its owner says of it; only the row states it"
_SHOWN = "shown, and compared with what a caller has read; nothing follows from it"
_SECRET = "made of a secret that is not stored: whoever signs in with another is refused"
_TIMES = all_free(_SHOWN, "version create_time update_time")
_GENERATION = "what tokens are compared with: only the row states it"
_HOLDS_TOKENS = {**_TIMES, "generation": Free(_GENERATION)}
_READ_ONCE = "read once by those who verify tokens; the row of the subject has the same generation"
_HELD_BY_KEYS = "the database holds it to a user and a client that there are, and takes the token away with either"
_GENERATIONS = "user_generation client_generation company_generation"
_CONTRACT = "stored_as_its_contract_allows"
_ASSIGNEE = "profile_assignment_has_one_assignee"
_COMPANY = (
    f"user_has_company address_has_company client_has_its_companies client_has_registration_buyer group_has_company {_ASSIGNEE}"
)
_USER = f"client_has_default_user client_has_anonymous_user assignment_has_user address_has_its_user member_has_user {_ASSIGNEE}"
_GROUP = f"member_has_group {_ASSIGNEE}"
WATCHED: Register = {
    tables.SELLERS: Watch(
        {"id": by("user_has_company"), "singleton": by(_CONTRACT), **all_free(_SAID, "name xp"), **_HOLDS_TOKENS},
        by("one_seller"),
    ),
    tables.BUYERS: Watch(
        {
            "id": by(_COMPANY),
            **all_by(_CONTRACT, "currency tax_exemptions"),
            **all_free(_SAID, "name active restrict_addresses xp"),
            **_HOLDS_TOKENS,
        },
        by(_COMPANY),
    ),
    tables.SUPPLIERS: Watch({"id": by(_COMPANY), **all_free(_SAID, "name active xp"), **_HOLDS_TOKENS}, by(_COMPANY)),
    tables.USERS: Watch(
        {
            "id": by(_USER),
            "party": by("user_has_company"),
            **all_by(_CONTRACT, "username username_key roles"),
            **all_free(_SAID, "first_name last_name email phone active xp"),
            "password_hash": Free(_SECRET),
            **_HOLDS_TOKENS,
        },
        by(_USER),
    ),
    tables.CLIENTS: Watch(
        {
            "id": Free(
                "orders name the client they came through, in their own service: the directory itself draws no conclusion from it"
            ),
            "default_user_id": by("client_has_default_user"),
            **all_by("client_has_its_companies", "buyer_ids supplier_ids"),
            **all_by(_CONTRACT, "access_token_minutes refresh_token_minutes roles policy minimum_roles"),
            **all_by(_CONTRACT, "allowed_origins anonymous_token_minutes"),
            "anonymous_user_id": by("client_has_anonymous_user"),
            "registration_buyer_id": by("client_has_registration_buyer"),
            **all_free(_SAID, "name active allow_seller allow_any_buyer allow_any_supplier xp"),
            "has_secret": by("client_has_secret_as_it_says"),
            **_HOLDS_TOKENS,
        },
        Free("nothing in the directory names a client: whoever signs in by one that is gone is refused"),
    ),
    tables.CLIENT_SECRETS: Watch(
        {
            "client_id": by("client_has_secret_as_it_says"),
            **all_free(_SECRET, "clue secret_hash"),
            **all_free(_SAID, "name end_time"),
            **all_free(_SHOWN, "id create_time"),
        },
        by("client_has_secret_as_it_says"),
    ),
    tables.ADDRESSES: Watch(
        {
            "party": by("address_has_company"),
            "id": by("assignment_has_address"),
            "user_id": by("address_has_its_user"),
            "address": Free("what a company says of its own address: an order keeps a copy, which is watched there"),
            "xp": Free(_SAID),
            **_TIMES,
        },
        by("assignment_has_address"),
    ),
    tables.ADDRESS_ASSIGNMENTS: Watch(
        {
            **all_by("assignment_has_address", "party address_id"),
            "user_id": by("assignment_has_user"),
            "user_group_id": by("assignment_has_group"),
            **all_free("for what the address may be used: only the assignment states it", "shipping billing"),
        },
        Free("an assignment may end at any time"),
    ),
    tables.USER_GROUPS: Watch(
        {"id": by(_GROUP), "party": by("group_has_company"), **all_free(_SAID, "name description xp"), **_TIMES}, by(_GROUP)
    ),
    tables.MEMBERS: Watch(
        {"user_group_id": by("member_has_group"), "user_id": by("member_has_user")}, Free("a membership may end at any time")
    ),
    tables.COST_CENTERS: Watch(
        {
            "id": by("cost_center_assignment_has_cost_center"),
            "buyer_id": by("cost_center_has_buyer"),
            **all_free(_SAID, "name description active xp"),
            **_TIMES,
        },
        by("cost_center_assignment_has_cost_center"),
    ),
    tables.COST_CENTER_ASSIGNMENTS: Watch(
        {
            "cost_center_id": by("cost_center_assignment_has_cost_center"),
            **all_by("cost_center_assignment_has_assignee", "user_id user_group_id"),
        },
        Free("an assignment may end at any time"),
    ),
    tables.PROFILES: Watch(
        {"id": by("profile_assignment_has_profile"), "roles": by(_CONTRACT), **all_free(_SAID, "name xp"), **_TIMES},
        by("profile_assignment_has_profile"),
    ),
    tables.PROFILE_ASSIGNMENTS: Watch(
        {"security_profile_id": by("profile_assignment_has_profile"), **all_by(_ASSIGNEE, "party user_group_id user_id")},
        Free("an assignment may end at any time"),
    ),
    tables.SIGNING_KEYS: Watch(
        {
            "retire_time": by("signing_key"),
            "withdraw_time": by("signing_key ended_key_has_no_private_half"),
            "private_pem": by("private_half_is_sealed"),
            **all_free("tokens of another key are refused at once; their holders sign in again", "kid modulus"),
            "sign_time": Free("what an operator has decided: another time only lets another key sign"),
            "create_time": Free(_SHOWN),
        },
        by("signing_key"),
    ),
    tables.REVOCATIONS: Watch(
        all_free(_READ_ONCE, "position kind subject_id generation time"), Free("is forgotten when no token is old enough for it")
    ),
    tables.SIGN_INS: Watch(
        all_free("counts failed sign-ins of a short while: only the row states it", "key attempts end_time"),
        Free("counts afresh when it is gone"),
    ),
    tables.REFRESH_TOKENS: Watch(
        {
            "token_hash": Free(_SECRET),
            **all_free(_HELD_BY_KEYS, "user_id client_id"),
            **all_free("compared with the row of the subject at each use; another number ends the token", _GENERATIONS),
            **all_free("what a user asked for and was given when it signed in: only the row states it", "roles expire_time"),
            "create_time": Free(_SHOWN),
        },
        Free("is forgotten when its time is over, or newer ones take its place; its holder signs in again"),
    ),
    tables.REGISTRATIONS: Watch(
        {
            **all_free(_SECRET, "token_hash password_hash"),
            **all_free("what somebody says of itself; only the row states it", "username email first_name last_name phone"),
            **all_free(
                "the database holds it to a client and a buyer that there are, and takes it away with either",
                "client_id buyer_id",
            ),
            "expire_time": Free("only the row states it"),
            "create_time": Free(_SHOWN),
        },
        Free("ends by itself; who has asked for it asks again"),
    ),
    tables.MESSAGES: Watch(
        {
            **all_free(
                "what is to be sent: only the row states it", "id kind email username first_name client_id token expire_time"
            ),
            "token_hash": Free(
                "shows the token as long as its registration waits; a wrong one hides it, and who has asked asks again"
            ),
            "sent_time": Free("what whoever sends says of it"),
            "create_time": Free(_SHOWN),
        },
        Free("is forgotten when it is old, or newer ones take its place"),
    ),
    tables.REQUESTS: REQUESTS_WATCH,
    tables.AUDIT: AUDIT_WATCH,
    tables.DELETED: DELETED_WATCH,
    tables.CHANGES.changes: CHANGES_WATCH,
    tables.CHANGES.state: CHANGE_FEED,
}
