/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/signal_words.h"

static const struct {
    const char *name, *en, *ja;
} words[] = {
    { "BASE_MODEL", "likeness to the spam or the good mail that the base model was made from",
      "同梱の基本モデルの迷惑メール・正常メールとの類似" },
    { "LOCAL_MODEL", "likeness to the spam or the good mail that was learned here",
      "このノードが学習した迷惑メール・正常メールとの類似" },
    { "RULES_CAP", "rules together count no more than 11 points", "ルールの合計は 11 点まで" },
    { "RULES_CAP_LATE", "rules together count no more than 11 points", "ルールの合計は 11 点まで" },
    { "RULES_LIMIT", "a pattern of a rule took too long and was ended",
      "ルールのパターンに時間がかかりすぎ、打ち切った" },
    { "LIMIT_TEXT", "more text than is looked at", "本文が長く、最後までは調べていない" },
    { "LIMIT_SUBJECT", "a longer Subject than is looked at", "件名が長く、最後までは調べていない" },
    { "LIMIT_LINKS", "more links than are looked at", "リンクが多く、すべては調べていない" },
    { "LIMIT_HEADER", "a longer header than is read", "ヘッダーが長く、最後までは読んでいない" },
    { "LIMIT_FIELDS", "more fields than are read", "ヘッダーの項目が多く、すべては読んでいない" },
    { "LIMIT_PARAMETERS", "more parameters of a field than are read",
      "ヘッダーのパラメーターが多く、すべては読んでいない" },
    { "LIMIT_PARTS", "more parts than are read", "パートが多く、すべては読んでいない" },
    { "LIMIT_DEPTH", "parts in one another deeper than is read", "入れ子が深く、奥までは読んでいない" },
    { "LIMIT_DECODED", "more readings than are made", "解釈が多く、すべては試していない" },
    { "LIMIT_SIGNALS", "more signals than are kept", "検出項目が多く、すべては残していない" },
    { "BRAND_CLAIMED", "the sender's name is a well-known firm's, the address is not",
      "差出人名は有名企業だが、アドレスは違う" },
    { "FORGED_FIELDS", "too many fields that only a gateway writes",
      "ゲートウェイだけが書くヘッダーが多すぎる" },
    { "GTUBE", "the test for junk filters", "迷惑メール判定の試験文字列" },
    { "PICTURE_CODE", "a code in a picture that is no link", "画像内のコード（リンク以外）" },
    { "PICTURE_CODE_LINK", "a link in a code in a picture", "画像内のコードのリンク" },
    { "PDF_LINK", "a link in a PDF", "PDF 内のリンク" },
    { "TEXT_NOT_READ", "a PDF or a picture was not read to its end", "PDF や画像を最後まで読めなかった" },
    { "RDNS_NONE", "the client's address has no name", "接続元のアドレスに逆引き名がない" },
    { "RDNS_MISMATCH", "the client's name does not lead back to its address",
      "接続元の逆引き名から同じアドレスに戻らない" },
    { "RDNS_TEMPERROR", "the client's name could not be asked for", "接続元の逆引きに答えがなかった" },
    { "SPF_NONE", "the sender's domain has no SPF record", "差出人のドメインに SPF がない" },
    { "SPF_NEUTRAL", "SPF says nothing about this client", "SPF はこの接続元について何も言わない" },
    { "SPF_PASS", "SPF: the client may send for the sender's domain", "SPF 合格" },
    { "SPF_FAIL", "SPF: the client may not send for the sender's domain", "SPF 不合格" },
    { "SPF_SOFTFAIL", "SPF: the client probably may not send for the sender's domain",
      "SPF は疑わしいとする" },
    { "SPF_TEMPERROR", "SPF could not be looked up", "SPF を調べられなかった" },
    { "SPF_PERMERROR", "the domain's SPF record is wrong", "SPF の記述に誤りがある" },
    { "SPF_HELO_FAIL", "SPF: the client may not use its HELO name", "HELO 名の SPF 不合格" },
    { "DKIM_NONE", "no DKIM signature", "DKIM 署名なし" },
    { "DKIM_PASS", "a DKIM signature holds", "DKIM 合格" },
    { "DKIM_FAIL", "no DKIM signature holds", "DKIM 不合格" },
    { "DKIM_TEMPERROR", "the key of a DKIM signature could not be had", "DKIM の鍵を得られなかった" },
    { "DKIM_PARTIAL", "a DKIM signature covers a part of the body alone", "DKIM 署名が本文の一部だけ" },
    { "DMARC_NONE", "the domain in From has no DMARC policy", "From のドメインに DMARC がない" },
    { "DMARC_PASS", "DMARC: it proves to come from the domain in From", "DMARC 合格" },
    { "DMARC_FAIL", "DMARC: it does not prove to come from the domain in From", "DMARC 不合格" },
    { "DMARC_QUARANTINE",
      "DMARC: it does not prove to come from the domain in From, whose owner asks to hold it",
      "DMARC 不合格（ドメイン所有者は隔離を求める）" },
    { "DMARC_REJECT",
      "DMARC: it does not prove to come from the domain in From, whose owner asks to refuse it",
      "DMARC 不合格（ドメイン所有者は拒否を求める）" },
    { "DMARC_FORWARDED", "DMARC fails as forwarding makes it fail, by a trusted forwarder",
      "DMARC 不合格だが、信頼する転送元によるもの" },
    { "DMARC_SEALED", "DMARC fails, and a trusted server saw it pass (ARC)",
      "DMARC 不合格だが、信頼するサーバーで合格していた（ARC）" },
    { "DMARC_LISTED", "DMARC fails since a mailing list that is known here altered it",
      "DMARC 不合格だが、既知のメーリングリストが書き換えたもの" },
    { "DMARC_TEMPERROR", "DMARC could not be looked up", "DMARC を調べられなかった" },
    { "DMARC_PERMERROR", "DMARC cannot be judged", "DMARC を判定できない" },
    { "ARC_FAIL", "the ARC chain is broken", "ARC の連鎖が壊れている" },
    { "FROM_SEVERAL_FIELDS", "several From fields", "From が複数ある" },
    { "FROM_SEVERAL_DOMAINS", "addresses of several domains in From", "From に複数ドメインのアドレス" },
    { "FROM_NUL", "a NUL in From", "From に NUL" },
    { "FROM_DEEP_COMMENT", "comments nested deeply in From", "From に深く入れ子のコメント" },
    { "FROM_ADDRESS_IN_NAME", "the name in From shows another address", "From の表示名に別のアドレス" },
    { "FROM_ROUTE", "a route in From", "From に経路指定" },
    { "FROM_TOO_MANY", "very many addresses in From", "From のアドレスが多すぎる" },
    { "HOSTED_UNPROVEN", "from a cloud that others use too; nothing proves that it is ours",
      "共用クラウドから。組織のメールである証拠なし" },
    { "HOSTED_UNREACHABLE", "from a cloud that others use too; the proof could not be had",
      "共用クラウドから。証拠を得られなかった" },
    { "HOSTED_BY_CERTIFICATE", "ours, by the cloud's certificate", "クラウドの証明書により組織のメール" },
    { "HOSTED_BY_SIGNATURE", "ours, by a DKIM signature", "DKIM 署名により組織のメール" },
    { "IMPOSTOR_PERSON", "under the name of one of our people, from another address",
      "組織の人の名を名乗るが、アドレスは別" },
    { "IMPOSTOR_OWN_DOMAIN", "from outside, in the name of a domain of ours, without proof",
      "外から自組織のドメインを名乗り、証拠がない" },
    { "IMPOSTOR_SHOWN_ADDRESS", "the sender's name shows an address of ours, the address is another",
      "差出人名に自組織のアドレスを見せるが、実際は別のアドレス" },
    { "IMPOSTOR_FROM_ALIKE", "the domain in From is like one of ours or of a partner",
      "From のドメインが自組織や取引先に似ている" },
    { "IMPOSTOR_REPLY_ALIKE", "the domain in Reply-To is like one of ours or of a partner",
      "Reply-To のドメインが自組織や取引先に似ている" },
    { "IMPOSTOR_SENDER_ALIKE", "the envelope sender's domain is like one of ours or of a partner",
      "エンベロープの送信元のドメインが自組織や取引先に似ている" },
    { "IMPOSTOR_LINK_ALIKE", "a link leads to a host that is like one of ours or of a partner",
      "リンク先が自組織や取引先に似たホスト" },
    { "IMPOSTOR_REPLY_OF_OURS", "in our name, but answers go to a free mail provider",
      "自組織を名乗るが、返信先はフリーメール" },
    { "IMPOSTOR_REPLY_ELSEWHERE", "answers go to a free mail provider, not to where it comes from",
      "返信先が差出人と別で、フリーメール" },
    { "IMPOSTOR_NOTICE", "made like a digest, notice or page of this gateway",
      "このゲートウェイの通知やページに似せている" },
    { "IMPOSTOR_BOUNCE", "it returns a message in our name that bears no trace of us",
      "自組織を名乗るが送った跡のないメールの不達通知" },
    { "MISSING_FROM", "no From field", "From がない" },
    { "SPAMD", "SpamAssassin calls it spam", "SpamAssassin が迷惑メールとした" },
    { "SPAMD_HAM", "SpamAssassin does not call it spam", "SpamAssassin は迷惑メールとしていない" },
    { "SPAMD_NONE", "SpamAssassin gave no answer", "SpamAssassin の答えがない" },
    { "RSPAMD", "rspamd calls it spam", "rspamd が迷惑メールとした" },
    { "RSPAMD_HAM", "rspamd does not call it spam", "rspamd は迷惑メールとしていない" },
    { "RSPAMD_NONE", "rspamd gave no answer", "rspamd の答えがない" },
    { "CAMPAIGN", "the same text, link or file came from many networks in the last days",
      "同じ文面・リンク・添付が、数日のうちに多くのネットワークから届いた" },
    { "CAMPAIGN_REPORTED", "users reported the same text, link or file as spam",
      "同じ文面・リンク・添付を利用者が迷惑メールとして届け出た" },
    { "CAMPAIGN_STOPPED", "an administrator or a trusted user stopped what is the same",
      "管理者または信頼された利用者が、同じものを止めた" },
    { "ALLOWED", "an allow entry decided: the number behind the name", "許可項目（名の後の番号）により許可" },
    { "BLOCKED", "a block entry decided: the number behind the name", "拒否項目（名の後の番号）により処置" },
    { "ALLOW_UNPROVEN", "an allow entry did not apply: the sender is not proven",
      "許可項目は不適用：送信元が証明されていない" },
    { "ENTRY_OVERRULED", "an allow or block entry did not apply: another one goes before it",
      "許可・拒否項目は不適用：他の項目が優先する" },
    { "ENTRY_EXPIRED", "an allow or block entry did not apply: its time is over",
      "許可・拒否項目は不適用：期限切れ" },
    { "ENTRY_ELSEWHERE", "an allow or block entry did not apply: it is for another recipient",
      "許可・拒否項目は不適用：別の受信者のもの" },
    { "ENTRY_FROM_ALONE", "an allow or block entry did not apply: it looks at the envelope, not at From",
      "許可・拒否項目は不適用：エンベロープだけを見る項目で、一致は From のみ" },
    { "ENTRY_UNMATCHED", "an allow or block entry did not apply: a pattern of it does not match",
      "許可・拒否項目は不適用：パターンが一致しない" },
    { "ENTRY_OUTBOUND", "an allow or block entry did not apply: the message is from inside",
      "許可・拒否項目は不適用：内から出るメール" },
    { "NEWSLETTER", "a newsletter that its author is proven to have sent; it has a line of its own",
      "送信元が証明されたメールマガジン（専用の点数で判定）" },
    { "MISSING_DATE", "no Date field", "Date がない" },
    { "MISSING_MESSAGE_ID", "no Message-ID field", "Message-ID がない" },
    { "HEADER_NO_COLON", "a header line without a colon", "コロンのないヘッダー行" },
    { "HEADER_NUL", "a NUL in the header", "ヘッダーに NUL" },
    { "HEADER_EMPTY_NAME", "a header field without a name", "名前のないヘッダー" },
    { "HEADER_BARE_CR", "a bare CR in the header", "ヘッダーに単独の CR" },
    { "MIME_SPACE_BEFORE_COLON", "a blank before the colon of a Content field",
      "Content- ヘッダーのコロン前に空白" },
    { "DUPLICATE_FIELD", "a field twice that may be there once", "一度だけのヘッダーが二度ある" },
    { "MIME_DUPLICATE_CONTENT_TYPE", "Content-Type twice", "Content-Type が二つ" },
    { "MIME_DUPLICATE_TRANSFER_ENCODING", "Content-Transfer-Encoding twice",
      "Content-Transfer-Encoding が二つ" },
    { "MIME_DUPLICATE_BOUNDARY", "two boundaries of one multipart", "境界指定が二つ" },
    { "MIME_ENCODED_BOUNDARY", "a boundary that is encoded", "符号化された境界" },
    { "MIME_AMBIGUOUS_BOUNDARY", "boundaries that can be told apart in several ways",
      "境界がどちらにも読める" },
    { "MIME_BYTES_BETWEEN_PARTS", "bytes between parts", "パートの間に余分なデータ" },
    { "MIME_UNKNOWN_TRANSFER_ENCODING", "an unknown transfer encoding", "未知の転送符号化" },
    { "MIME_QUOTED_TRANSFER_ENCODING", "a quoted transfer encoding", "引用符つきの転送符号化" },
    { "MIME_ENCODED_CONTAINER", "a container that is encoded", "符号化されたコンテナー" },
    { "MIME_BASE64_JUNK", "other characters in Base64", "Base64 に不正な文字" },
    { "MIME_BASE64_INNER_PADDING", "padding inside Base64", "Base64 の途中に埋め草" },
    { "BODY_NUL", "a NUL in the body", "本文に NUL" },
    { "MIME_UNKNOWN_CHARSET", "an unknown charset", "未知の文字コード" },
};

enum { WORDS = sizeof words / sizeof *words };

/* "BLOCKED" of "BLOCKED_3" and of "BLOCKED_C1": of an entry there is one signal each. */
static struct text without_number(struct text name)
{
    size_t last = text_find_last_char(name, '_');
    struct text digits = text_slice(name, last + 1, name.length);
    uint64_t number;
    if (text_starts(digits, TEXT("C"))) digits = text_slice(digits, 1, digits.length);
    return text_to_number(digits, UINT64_MAX, &number) ? text_slice(name, 0, last) : name;
}

struct text signal_words_find(const struct ruleset *rules, struct text name, enum language language)
{
    int rule = rules ? ruleset_find(rules, name) : -1;
    if (rule >= 0) {
        const struct spam_rule *found = &rules->rules[rule];
        return language == LANGUAGE_JA && found->about_ja.length ? found->about_ja : found->about;
    }
    struct text word = without_number(name);
    for (size_t i = 0; i < WORDS; i++)
        if (text_equal(word, text_of(words[i].name)))
            return text_of(language == LANGUAGE_JA ? words[i].ja : words[i].en);
    return TEXT_NONE;
}

const char *signal_words_name(size_t number)
{
    return number < WORDS ? words[number].name : NULL;
}
